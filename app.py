"""The lab in the browser: `python app.py`. Hugging Face Spaces starts this file too."""

import os
import sys

# Threads that spin while they wait starve the run beside them; read when torch is first loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from mtlab.ui.serving import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
