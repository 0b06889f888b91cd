"""A web page that somebody opens can't use the local stack."""

import urllib.error
import urllib.request

import pytest

from drivetrain_localstack.browsers import foreign


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "127.0.0.1:4566"},
        {"Host": "[::1]:4566", "Origin": "http://localhost:3000"},
        {"Host": "bucket.s3.eu-west-1.amazonaws.com"},
        {"Host": "localhost", "Sec-Fetch-Site": "same-origin"},
    ],
)
def test_programs_and_pages_of_this_machine_are_let_pass(headers):
    assert foreign(headers) is None


FOREIGN = [
    {"Host": "evil.example"},
    {"Host": "127.0.0.1.evil.example:4566"},
    {"Host": "evilamazonaws.com"},
    {"Host": "10.0.0.7"},
    {"Host": "127.0.0.1", "Origin": "https://evil.example"},
    {"Host": "127.0.0.1", "Origin": "null"},
    {"Host": "127.0.0.1", "Sec-Fetch-Site": "cross-site"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_pages_of_others_are_refused(headers):
    assert foreign(headers)


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_page_from_elsewhere_writes_nothing_to_s3(stack, aws, headers):
    aws("s3").create_bucket(Bucket="pages")
    request = urllib.request.Request(f"{stack.url}/pages/key", b"text", headers, method="PUT")
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(request, timeout=30)
    assert error.value.code == 403
    assert "Contents" not in aws("s3").list_objects_v2(Bucket="pages")
