"""What `solve` adds to the methods."""

from solvers.solve import solve, toy


def test_the_toy_makes_every_search_improve_on_its_start() -> None:
    """Else some kernel would first be compiled within a user's run, and counted."""
    latency = {
        method: solve(toy(), method, workers=1).objective or 0
        for method in ("sequential", "segmented", "scope", "exact")
    }
    assert latency["exact"] < latency["scope"] < latency["segmented"] < latency["sequential"]
