"""A token from MSAL for Python: printed, for clients that take one."""

import os

lines = {}
exec(os.environ["LINES"], lines)
answer = lines["answer"]
assert answer.get("token_type") == "Bearer", answer
print(answer["access_token"])
