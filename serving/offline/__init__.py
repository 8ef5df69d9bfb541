"""The edition for a commune station without a network: one folder, made by one command."""
