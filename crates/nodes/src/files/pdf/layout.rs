//! The text of a page in reading order of its content: a new line where the baseline moves, a space where a gap is.

use pdf_extract::{Document, MediaBox, OutputDev, OutputError, Transform, output_doc_page};

/// Most text taken from one page.
const MAX_TEXT: usize = 32 << 20;

/// Width, in units of the font size, taken for letters whose width is not known.
const UNKNOWN_WIDTH: f64 = 0.8;

pub(super) fn page_text(document: &Document, page: u32) -> Result<String, String> {
    let mut lines = Lines::default();
    output_doc_page(document, &mut lines, page).map_err(|problem| problem.to_string())?;
    Ok(lines.text.trim_end().to_owned())
}

#[derive(Default)]
struct Lines {
    text: String,
    /// Baseline of the last character, and where the next one stands if nothing lies between.
    last: Option<(f64, f64)>,
}

type Done = Result<(), OutputError>;

impl OutputDev for Lines {
    fn begin_page(&mut self, _: u32, _: &MediaBox, _: Option<(f64, f64, f64, f64)>) -> Done {
        Ok(())
    }

    fn end_page(&mut self) -> Done {
        Ok(())
    }

    fn output_character(&mut self, at: &Transform, width: f64, spacing: f64, font_size: f64, text: &str) -> Done {
        let size = (font_size * (at.m21 * at.m21 + at.m22 * at.m22).sqrt()).abs();
        let (x, y) = (at.m31, at.m32);
        if let Some((line, end)) = self.last {
            if (y - line).abs() > size * 0.3 {
                let kept = self.text.trim_end_matches(' ').len();
                self.text.truncate(kept);
                self.text.push('\n');
            } else if x - end > size * 0.15 && !self.text.ends_with([' ', '\n']) && text != " " {
                self.text.push(' ');
            }
        }
        if self.text.len() < MAX_TEXT {
            self.text.push_str(text);
        }
        // Some fonts' width tables are not understood: a missing width must not make a gap of every letter.
        let width = if width > 0.0 { width } else { UNKNOWN_WIDTH };
        let advance = (width * font_size + spacing) * (at.m11 * at.m11 + at.m12 * at.m12).sqrt();
        self.last = Some((y, x + advance));
        Ok(())
    }

    fn begin_word(&mut self) -> Done {
        Ok(())
    }

    fn end_word(&mut self) -> Done {
        Ok(())
    }

    fn end_line(&mut self) -> Done {
        Ok(())
    }
}
