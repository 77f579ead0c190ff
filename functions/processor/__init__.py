"""What the Lambda function of a region runs: new objects are summarised once, and an HTTP API serves what is known.

boto3 and the standard library, nothing else: the modules of this folder are the whole zip
(compositions/tap_stack/processor/code.py makes it).
"""
