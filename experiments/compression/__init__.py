"""What compression at the cuts gains, and whether the methods that prove it agree."""
