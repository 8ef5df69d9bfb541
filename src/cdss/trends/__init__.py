"""What a nation's check-ups say about places and groups, without saying it of anybody."""
