"""What codes and names of diagnoses and drugs mean, in whatever document they stand."""
