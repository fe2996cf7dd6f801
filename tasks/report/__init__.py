"""What a run came to: arms, paired differences, figures, and the page that shows them."""
