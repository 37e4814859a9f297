"""Mutants by number: the same number makes the same mutant of the same seeds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.fuzz.mutate import mutate, mutate_text
from tests.fuzz.readers import READERS, Reader


@dataclass(frozen=True)
class Case:
    """A mutant.

    Attributes:
        reader: that gets it.
        it: the mutant's file, or the text.
        beside: other files that the commands read.
        commands: what is tried with it, the words after 'chipweave'.
    """

    reader: Reader
    it: str
    beside: tuple[str, ...]
    commands: tuple[list[str], ...]

    @property
    def files(self) -> list[str]:
        """Of which a refusal must name one: two that are good each may not fit together."""
        return [] if self.reader.text else [self.it, *self.beside]


def usable(seeds: Path) -> list[Reader]:
    """The readers that have seeds; some need packages that may not be installed."""
    return [own for own in READERS if own.text or (seeds / own.seeds[0]).exists()]


@contextmanager
def case(reader: Reader, draw: Random, seeds: Path, folder: Path) -> Iterator[Case]:
    """A mutant for a reader, in a folder that is emptied afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        seed = draw.choice(reader.seeds)
        if reader.text:
            it = mutate_text(seed, draw)
        else:
            others = [
                path.read_bytes() for path in sorted(seeds.iterdir()) if path.suffix != ".db-locks"
            ]
            suffix = Path(seed).suffix
            path = folder / f"mutant{suffix}"
            path.write_bytes(mutate((seeds / seed).read_bytes(), suffix, draw, others))
            it = str(path)
        commands = tuple(reader.words(own, it, seeds, folder) for own in reader.commands)
        beside = {word for words in commands for word in words if word.startswith(str(seeds))}
        yield Case(reader, it, tuple(beside), commands)
    finally:
        shutil.rmtree(folder)


def numbered(number: int, seed: int, seeds: Path) -> tuple[Reader, Random]:
    """The reader and the changes of a mutant's number; readers take turns."""
    readers = usable(seeds)
    return readers[number % len(readers)], Random(f"{seed}-{number}")
