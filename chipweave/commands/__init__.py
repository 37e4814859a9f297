"""The commands: each parses, calls and prints; what they call is open to Python users too."""
