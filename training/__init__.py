"""Make, validate and package the trained models; never imported by what serves them."""
