//! Counts lines as an editor shows them: ended by LF, CRLF or CR, and those inside quoted cells too.

/// Walks over a text once, forwards.
pub(super) struct Lines<'t> {
    text: &'t [u8],
    at: usize,
    line: u64,
}

impl<'t> Lines<'t> {
    pub fn new(text: &'t str) -> Self {
        Self { text: text.as_bytes(), at: 0, line: 1 }
    }

    /// Where the walk is.
    pub fn current(&self) -> u64 {
        self.line
    }

    /// The line of the row that begins at a byte. The reader of cells counts empty lines before a row, and the LF of the
    /// CRLF that ended the one before, as part of it; these are passed over.
    pub fn of_row(&mut self, byte: u64) -> u64 {
        let start = usize::try_from(byte).unwrap_or(usize::MAX).min(self.text.len());
        let skipped = self.text[start..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.of_byte(start + skipped)
    }

    /// The line of a byte that was not passed yet.
    pub fn of_byte(&mut self, byte: usize) -> u64 {
        let ends = (self.at..byte).filter(|&at| self.ends_line(at)).count();
        self.line += ends as u64;
        self.at = self.at.max(byte);
        self.line
    }

    fn ends_line(&self, at: usize) -> bool {
        match self.text[at] {
            b'\n' => true,
            b'\r' => self.text.get(at + 1) != Some(&b'\n'),
            _ => false,
        }
    }
}
