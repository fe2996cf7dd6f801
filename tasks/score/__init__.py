"""`pav score`: a trained verifier for solutions of your own."""
