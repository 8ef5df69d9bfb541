"""What `cdss population` draws from: learned from cohorts, calibrated to published figures."""
