"""Fast schedules inside an array."""
