"""Other clients against davit; see run.sh."""
