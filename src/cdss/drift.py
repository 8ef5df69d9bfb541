"""How far one distribution has moved from another."""
