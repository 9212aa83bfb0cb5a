"""What a plan would do: proven over all that may happen, and rehearsed with what did happen. Runs the core; pure."""
