"""Names and a helper shared by all tests here."""

import time

REGION = "us-east-1"
ROLE = "arn:aws:iam::000000000000:role/any"
TOY = "000000000000.dkr.ecr.us-east-1.amazonaws.com/toy:1"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"
BUCKET = "clients"
CREDENTIALS = {"region_name": REGION, "aws_access_key_id": "test", "aws_secret_access_key": "test"}
# By default, waiters poll every 30 to 60 seconds.
QUICKLY = {"Delay": 0.1, "MaxAttempts": 900}


def eventually(look, limit_s: float = 30):
    """Calls `look` until it returns something, and returns that."""
    limit = time.monotonic() + limit_s
    while not (found := look()):
        assert time.monotonic() < limit, f"nothing after {limit_s} s"
        time.sleep(0.05)
    return found
