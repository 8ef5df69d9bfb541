"""What a service is asked and answers, counted month by month, without anybody in it."""
