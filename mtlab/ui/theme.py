"""The page's look: one accent, quiet surfaces. What Gradio's variables do not reach: app.css."""

from __future__ import annotations

import gradio as gr
from gradio.themes.utils import colors

from mtlab.settings import ASSETS

STYLES = [ASSETS / "app.css"]

# Blue of Okabe and Ito's palette in the middle, so that buttons and plots are of one piece.
_ACCENT = colors.Color(
    name="lab",
    c50="#eef6fb", c100="#d6eaf6", c200="#aed5ec", c300="#79b9de", c400="#3a97cb", c500="#0072b2",
    c600="#00639c", c700="#005282", c800="#034369", c900="#083854", c950="#062438",
)  # fmt: skip


def theme() -> gr.themes.Base:
    """The theme, for `launch`."""
    return gr.themes.Base(
        primary_hue=_ACCENT,
        secondary_hue=_ACCENT,
        neutral_hue="slate",
        radius_size="sm",
        spacing_size="md",
        font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"],
        font_mono=["ui-monospace", "SFMono-Regular", "Menlo", "monospace"],
    ).set(
        body_background_fill="#fbfbfa",
        body_background_fill_dark="#101418",
        background_fill_primary="#ffffff",
        background_fill_primary_dark="#161b21",
        background_fill_secondary="#f3f5f6",
        background_fill_secondary_dark="#1d242b",
        block_background_fill="*background_fill_primary",
        block_background_fill_dark="*background_fill_primary",
        block_border_width="1px",
        block_border_color="#e3e7ea",
        block_border_color_dark="#2a323a",
        border_color_primary="#dfe4e8",
        border_color_primary_dark="#2a323a",
        border_color_accent="*primary_400",
        border_color_accent_dark="*primary_400",
        block_label_text_weight="600",
        block_title_text_weight="600",
        block_title_text_size="*text_sm",
        block_title_text_color="*body_text_color",
        block_title_text_color_dark="*body_text_color",
        block_shadow="none",
        block_shadow_dark="none",
        input_background_fill="#ffffff",
        input_background_fill_dark="#11161b",
        input_border_color="#ccd4da",
        input_border_color_dark="#36404a",
        input_border_width="1px",
        body_text_color="#1b2429",
        body_text_color_dark="#e6eaed",
        body_text_color_subdued="#5c6a74",
        body_text_color_subdued_dark="#9aa7b1",
        button_primary_background_fill="*primary_500",
        button_primary_background_fill_hover="*primary_600",
        button_primary_background_fill_dark="*primary_500",
        button_primary_background_fill_hover_dark="*primary_400",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="#ffffff",
        button_secondary_background_fill="#ffffff",
        button_secondary_background_fill_hover="#f1f4f6",
        button_secondary_background_fill_dark="#1d242b",
        button_secondary_background_fill_hover_dark="#27303a",
        button_secondary_border_color="#ccd4da",
        button_secondary_border_color_dark="#36404a",
        button_border_width="1px",
        checkbox_label_background_fill="#ffffff",
        checkbox_label_background_fill_dark="#11161b",
        checkbox_label_background_fill_hover="#f1f4f6",
        checkbox_label_background_fill_hover_dark="#1d242b",
        checkbox_label_background_fill_selected="*primary_50",
        checkbox_label_background_fill_selected_dark="*primary_950",
        checkbox_label_border_color="#d5dce1",
        checkbox_label_border_color_dark="#36404a",
        checkbox_label_border_color_selected="*primary_500",
        checkbox_label_border_color_selected_dark="*primary_400",
        checkbox_label_border_width="1px",
        checkbox_label_padding="4px 10px",
        checkbox_label_text_size="*text_sm",
        link_text_color="*primary_600",
        link_text_color_dark="*primary_300",
    )
