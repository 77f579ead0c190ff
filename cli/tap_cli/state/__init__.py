"""`tap state export`: what there is of an environment, kept outside its cluster."""
