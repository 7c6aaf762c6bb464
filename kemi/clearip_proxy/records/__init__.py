"""What happens to calls, told to whoever keeps records of it."""
