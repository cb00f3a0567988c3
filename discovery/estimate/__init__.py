"""Arrays in, frozen estimates out."""
