"""`./dev release`: what is published, built and tried as those who install it have it."""
