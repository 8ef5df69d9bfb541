"""The page opened from an EMR: SMART App Launch, the session after it, and links of cards."""
