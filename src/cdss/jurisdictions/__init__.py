"""Countries, a TOML file each."""
