//! A file as a table: UTF-8 text with cells separated by commas (RFC 4180), columns by name, and for each row the line
//! on which it begins.

use csv::{ReaderBuilder, StringRecord};

use super::column::{Column, Columns};
use super::issue::Issue;
use super::limits::ROWS_MAX;
use super::lines::Lines;

/// A file that is no table of products at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("it is empty")]
    Empty,
    #[error("line {line} is not UTF-8 text")]
    NotUtf8 { line: u64 },
    #[error("its first line must name the columns, separated by commas, and lacks {}", .0.join(", "))]
    ColumnsMissing(Vec<&'static str>),
    #[error("the column {0} is there twice")]
    ColumnTwice(&'static str),
    #[error("it has more than {ROWS_MAX} rows; load it in parts")]
    TooManyRows,
    #[error("line {line} can't be read")]
    Unreadable { line: u64 },
}

/// A row, with the columns that count.
#[derive(Debug)]
pub(super) struct Row {
    /// The line on which it begins; the header is line 1.
    pub line: u64,
    /// What is wrong with the row as such; its cells are not to be trusted then.
    pub fault: Option<Issue>,
    pub columns: Columns,
    cells: StringRecord,
}

impl Row {
    /// A cell without the spaces around it; empty if the file has no such column.
    pub fn get(&self, column: Column) -> &str {
        self.cells.get(column as usize).unwrap_or_default().trim()
    }

    /// Whether it describes a variant, and not just one more image.
    pub fn has_variant(&self) -> bool {
        Column::OF_VARIANT.into_iter().any(|column| !self.get(column).is_empty())
    }
}

/// The rows of a file, in its order; empty ones are left out.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Row>, Malformed> {
    let text = str::from_utf8(bytes).map_err(|error| not_utf8(&bytes[..error.valid_up_to()]))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut lines = Lines::new(text);
    let (mut header, mut rows, mut record) = (None, Vec::new(), StringRecord::new());
    while reader.read_record(&mut record).map_err(|_| Malformed::Unreadable { line: lines.current() })? {
        let line = lines.of_row(record.position().map_or(0, csv::Position::byte));
        match &header {
            None => header = Some(Header::read(&record)?),
            Some(_) if record.iter().all(|cell| cell.trim().is_empty()) => {}
            Some(_) if rows.len() == ROWS_MAX => return Err(Malformed::TooManyRows),
            Some(header) => rows.push(header.row(line, &record)),
        }
    }
    if header.is_some() { Ok(rows) } else { Err(Malformed::Empty) }
}

fn not_utf8(before: &[u8]) -> Malformed {
    let text = str::from_utf8(before).unwrap_or_default();
    Malformed::NotUtf8 { line: Lines::new(text).of_byte(before.len()) }
}

/// The first row: which column is where.
struct Header {
    names: Vec<String>,
    columns: Columns,
    places: [Option<usize>; Column::ALL.len()],
}

impl Header {
    fn read(record: &StringRecord) -> Result<Self, Malformed> {
        let names: Vec<String> = record.iter().map(|name| name.trim().to_owned()).collect();
        let mut places = [None; Column::ALL.len()];
        for column in Column::ALL {
            let mut found = (0..names.len()).filter(|&place| names[place].eq_ignore_ascii_case(column.name()));
            places[column as usize] = found.next();
            if found.next().is_some() {
                return Err(Malformed::ColumnTwice(column.name()));
            }
        }
        let columns: Columns = Column::ALL.into_iter().filter(|&column| places[column as usize].is_some()).collect();
        let missing = Column::REQUIRED.into_iter().filter(|&column| !columns.has(column));
        let missing: Vec<_> = missing.map(Column::name).collect();
        if missing.is_empty() { Ok(Self { names, columns, places }) } else { Err(Malformed::ColumnsMissing(missing)) }
    }

    fn row(&self, line: u64, record: &StringRecord) -> Row {
        let cell = |place: &Option<usize>| place.and_then(|place| record.get(place)).unwrap_or_default();
        let cells = self.places.iter().map(cell).collect();
        Row { line, fault: self.fault(line, record), columns: self.columns, cells }
    }

    fn fault(&self, line: u64, record: &StringRecord) -> Option<Issue> {
        if record.len() != self.names.len() {
            let hint = if record.iter().any(|cell| cell.contains('\n')) { "; is a quote not closed?" } else { "" };
            let (cells, columns) = (record.len(), self.names.len());
            return Some(Issue::row(line, format!("has {cells} cells, and the header has {columns}{hint}")));
        }
        // Postgres holds no NUL in text, and no shop means one.
        let place = record.iter().position(|cell| cell.contains('\0'))?;
        let issue = Issue::row(line, "holds a NUL character");
        Some(Issue { column: self.names[place].clone(), ..issue })
    }
}
