//! Which column holds what, by the names that other programs give.

use crate::{layout::Expected, moment, quote::is_quote, split::Fields};

/// Where the figures of a row stand, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Columns {
    pub time: usize,
    /// Whether `time` is when the candle closed.
    pub closes: bool,
    /// Open, high, low, close.
    pub prices: [usize; 4],
    /// Of the base asset.
    pub volume: usize,
    pub symbol: Option<usize>,
}

impl Columns {
    /// Those of a file without a header.
    pub const fn usual() -> Self {
        Self { time: 0, closes: false, prices: [1, 2, 3, 4], volume: 5, symbol: None }
    }

    pub fn is_usual(&self) -> bool {
        *self == Self::usual()
    }

    /// The same behind a column more.
    pub fn shifted(self) -> Self {
        Self {
            time: self.time + 1,
            prices: self.prices.map(|at| at + 1),
            volume: self.volume + 1,
            symbol: self.symbol.map(|at| at + 1),
            ..self
        }
    }

    /// By the names of a header and the first row below it.
    ///
    /// # Errors
    /// In words: what is missing, there twice, or of another asset.
    pub fn named(names: &[String], first: &Fields<'_>, expected: &Expected) -> Result<Self, String> {
        let roles: Vec<Role> =
            names.iter().enumerate().map(|(at, name)| Role::of(at, name, expected)).collect();
        let all = |wanted: Role| {
            roles.iter().enumerate().filter(move |(_, role)| **role == wanted).map(|(at, _)| at)
        };
        let one = |wanted: Role, name: &str| {
            let mut found = all(wanted);
            match (found.next(), found.next()) {
                (Some(at), None) => Ok(at),
                (Some(_), Some(_)) => Err(format!("the header names {name} twice")),
                (None, _) => Err(missing(name, names)),
            }
        };
        let (time, closes) = time(&roles, first, names)?;
        let prices = [
            one(Role::Open, "open")?,
            one(Role::High, "high")?,
            one(Role::Low, "low")?,
            one(Role::Close, "close")?,
        ];
        let volume = match (all(Role::Volume).next(), all(Role::BaseVolume).next()) {
            (Some(_), _) => one(Role::Volume, "volume")?,
            (None, Some(_)) => one(Role::BaseVolume, "volume")?,
            (None, None) => return Err(no_volume(&roles, names, expected)),
        };
        Ok(Self { time, closes, prices, volume, symbol: all(Role::Symbol).next() })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The lower the better.
    Time(u8),
    CloseTime,
    Open,
    High,
    Low,
    Close,
    /// Just `volume`.
    Volume,
    BaseVolume,
    /// Of the quote asset, or of one that is not known.
    OtherVolume,
    Symbol,
    Other,
}

impl Role {
    fn of(at: usize, name: &str, expected: &Expected) -> Self {
        let plain = plain(name);
        if let Some(price) = price(name, &plain) {
            return price;
        }
        match plain.as_str() {
            "opentime" | "opentimems" | "opentimeus" | "opentimestamp" | "klineopentime"
            | "candleopentime" => Self::Time(0),
            "unix" | "unixtime" | "unixtimestamp" | "unixtimems" | "epoch" | "timestamp" | "timestampms"
            | "ts" | "t" | "start" | "starttime" | "begin" | "begintime" | "candlebegintime" => Self::Time(1),
            "date" | "datetime" | "time" | "dateutc" | "datetimeutc" | "timeutc" | "timestamputc" | "utc"
            | "opendate" | "opendatetime" | "candletime" => Self::Time(2),
            // What pandas and R write above row names.
            "" | "index" | "unnamed0" if at == 0 => Self::Time(3),
            "closetime" | "closetimems" | "closetimestamp" | "closedate" | "closedatetime" | "endtime"
            | "end" | "klineclosetime" | "candleclosetime" | "closeat" => Self::CloseTime,
            "volume" | "vol" | "v" => Self::Volume,
            "symbol" | "pair" | "ticker" => Self::Symbol,
            other => volume(other, expected),
        }
    }
}

/// Without signs, in small letters.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// `open`, `Open`, `o`, `open_price`, and quantmod's `BTC.USD.Open`.
fn price(name: &str, plain: &str) -> Option<Role> {
    let last = name.rsplit_once('.').map(|(_, last)| last.to_ascii_lowercase());
    let role = match last.as_deref().unwrap_or(plain) {
        "open" | "o" | "openprice" | "priceopen" => Role::Open,
        "high" | "h" | "highprice" | "pricehigh" => Role::High,
        "low" | "l" | "lowprice" | "pricelow" => Role::Low,
        "close" | "c" | "closeprice" | "priceclose" => Role::Close,
        "volume" if last.is_some() => Role::Volume,
        _ => return None,
    };
    Some(role)
}

/// `Volume BTC`, `volume_from`, `base_volume`, `Volume USDT`, …
fn volume(plain: &str, expected: &Expected) -> Role {
    let Some(asset) =
        ["volume", "vol"].iter().find_map(|word| plain.strip_prefix(word).or(plain.strip_suffix(word)))
    else {
        return Role::Other;
    };
    let asset = asset.strip_prefix("in").unwrap_or(asset);
    let is = |known: &Option<String>| known.as_ref().is_some_and(|known| known.to_lowercase() == asset);
    match asset {
        "base" | "baseasset" | "from" | "coin" | "crypto" => Role::BaseVolume,
        _ if is(&expected.base) => Role::BaseVolume,
        "quote" | "quoteasset" | "to" => Role::OtherVolume,
        _ if is(&expected.quote) || is_quote(&asset.to_uppercase()) => Role::OtherVolume,
        // A short word behind it can hardly be but an asset; taker volumes and the like are longer.
        _ if asset.len() <= 5 => Role::OtherVolume,
        _ => Role::Other,
    }
}

/// Whether the line names at least two of the prices.
pub fn is_header(fields: &Fields<'_>) -> bool {
    let named = |field: &str| price(field, &plain(field)).is_some_and(|role| role != Role::Volume);
    fields.iter().filter(|field| named(field)).count() >= 2
}

/// What is wrong with a first line that is no row and names no prices.
pub fn unknown(fields: &Fields<'_>) -> String {
    let names: Vec<String> = fields.iter().map(str::to_owned).collect();
    missing("open", &names)
}

fn missing(name: &str, names: &[String]) -> String {
    let mut given = names.join(",");
    if given.chars().count() > 120 {
        given = given.chars().take(120).chain(['…']).collect();
    }
    format!(
        "the header names no column {name} (it is '{given}'): name the columns open_time (or timestamp, date, unix), \
         open, high, low, close, volume, in any order"
    )
}

/// The column of open times: the best name whose first row is a time.
fn time(roles: &[Role], first: &Fields<'_>, names: &[String]) -> Result<(usize, bool), String> {
    let mut known: Vec<(u8, usize)> = roles
        .iter()
        .enumerate()
        .filter_map(|(at, role)| match role {
            Role::Time(rank) => Some((*rank, at)),
            _ => None,
        })
        .collect();
    known.sort_unstable();
    let shift = usize::from(first.len() == names.len() + 1 && !first.get(names.len()).is_empty());
    let is_time = |at: usize| moment::is_one(first.get(at + shift));
    if let Some((rank, at)) = known.iter().copied().find(|(_, at)| is_time(*at)) {
        let is_clock = |at: usize| first.get(at + shift).split(':').count() > 1 && !is_time(at);
        if rank == 2 && known.iter().any(|(_, other)| is_clock(*other)) {
            return Err(
                "date and time of day are in two columns: put them into one, 2024-01-31 14:00".to_owned()
            );
        }
        return Ok((at, false));
    }
    if let Some(at) = roles.iter().position(|role| *role == Role::CloseTime)
        && known.is_empty()
    {
        return Ok((at, true));
    }
    // If there is one, its row says what is wrong with it.
    known.first().map(|(_, at)| (*at, false)).ok_or_else(|| missing("open_time", names))
}

fn no_volume(roles: &[Role], names: &[String], expected: &Expected) -> String {
    match roles.iter().position(|role| *role == Role::OtherVolume) {
        Some(at) => {
            let base = expected.base.as_deref().unwrap_or("the base asset");
            let name = &names[at];
            format!(
                "the header has '{name}', and no volume in {base}: name a column volume that counts {base}"
            )
        }
        None => missing("volume", names),
    }
}
