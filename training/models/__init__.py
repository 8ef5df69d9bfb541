"""One file a trained model: whom it is for, what it predicts, from what, and why."""
