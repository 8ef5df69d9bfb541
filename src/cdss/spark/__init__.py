"""Everybody of a Spark data frame: the same answers as `cdss.batch`, by `mapInArrow`."""
