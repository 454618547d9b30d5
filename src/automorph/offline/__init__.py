"""Methods that search for a policy before it is used, and the race between all methods."""
