"""`tap`: the command line. One verb a file; what a verb prints is computed by the packages below."""
