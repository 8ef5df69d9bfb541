"""What was tried to make the models better, on the same folds as what shipped, nulls included."""
