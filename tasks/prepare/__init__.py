"""Stage `pretrain`: the policies of a run, the user's or trained here from scratch."""
