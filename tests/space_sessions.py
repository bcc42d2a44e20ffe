"""What Spaces sets for a lab, and the session of somebody whom Hugging Face has signed in."""

from __future__ import annotations

import base64
import hashlib
import json
import time

from itsdangerous import TimestampSigner

SECRET = "the secret of this Space"
SPACE = {
    "SYSTEM": "spaces",
    "SPACE_ID": "owner/lab",
    "SPACE_AUTHOR_NAME": "owner",
    "SPACE_HOST": "owner-lab.hf.space",
    "OAUTH_CLIENT_ID": "an id",
    "OAUTH_CLIENT_SECRET": SECRET,
    "OAUTH_SCOPES": "openid profile",
    "OPENID_PROVIDER_URL": "https://huggingface.co",
}


def session(name: str, secret: str = SECRET, ends: float = 3600) -> dict[str, str]:
    """The cookie that Gradio's OAuth routes give when Hugging Face has signed somebody in."""
    info = {"userinfo": {"preferred_username": name}, "expires_at": time.time() + ends}
    data = base64.b64encode(json.dumps({"oauth_info": info}).encode())
    key = hashlib.sha256(f"{secret}-v4".encode()).hexdigest()
    return {"cookie": f"session={TimestampSigner(key).sign(data).decode()}"}
