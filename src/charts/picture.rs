//! Pictures as files: SVG as it was drawn, PNG and PDF made from it, each with where it comes from inside.

use std::sync::{Arc, LazyLock};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use krilla::{Document, geom::Size, metadata::Metadata, page::PageSettings};
use krilla_svg::{SurfaceExt, SvgSettings};
use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{Options, Tree, fontdb::Database},
};

use url::form_urlencoded;

use super::{
    draw::canvas::{REGULAR, SEMI_BOLD},
    plan::ChartKind,
};
use crate::{
    error::{Error, Result},
    release::{PngText, Provenance, crc32, png_text, seal},
    tables::Library,
    words::{self, Message},
};

/// The same typefaces as browsers like them best.
pub const WEB_REGULAR: &[u8] = include_bytes!("fonts/Inter-Regular.woff2");
/// The same in bold.
pub const WEB_SEMI_BOLD: &[u8] = include_bytes!("fonts/Inter-SemiBold.woff2");

/// What a picture is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureFormat {
    /// Scalable vector graphics.
    Svg,
    /// Pixels, so many for each of the picture's own.
    Png,
    /// A page of the picture's size, its text as text.
    Pdf,
}

/// Names of the formats, which are also the endings of files.
pub const PICTURE_FORMATS: [&str; 3] = ["svg", "png", "pdf"];

impl PictureFormat {
    /// Reads the name of a format.
    pub fn parse(name: &str) -> Option<Self> {
        let at = PICTURE_FORMATS.iter().position(|known| known.eq_ignore_ascii_case(name))?;
        [Self::Svg, Self::Png, Self::Pdf].get(at).copied()
    }

    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Svg => "image/svg+xml",
            Self::Png => "image/png",
            Self::Pdf => "application/pdf",
        }
    }

    /// The ending of file names.
    pub fn ending(self) -> &'static str {
        PICTURE_FORMATS[self as usize]
    }
}

/// Where numbers of these releases come from, in a language: `address` answers with the picture (nothing where none does), `query` with its numbers.
pub fn provenance(library: &Library, language: usize, address: String, query: String, releases: impl Iterator<Item = usize>) -> Provenance {
    let id = library.register.languages.get(language).map_or_else(String::new, |language| language.id.clone());
    let source = library.register.source.text(language).to_owned();
    Provenance { query, ..Provenance::new(address, id, source, releases.map(|at| &library.releases[at])) }
}

/// The address of a picture behind its host: what is asked for, in one order.
pub fn address<'a>(kind: ChartKind, format: PictureFormat, pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    format!("/charts/{}.{}?{}", kind.id(), format.ending(), in_one_order(pairs))
}

/// Parameters of an address in one order, without those that say nothing.
pub fn in_one_order<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut pairs: Vec<(&str, &str)> = pairs.filter(|(_, value)| !value.is_empty()).collect();
    pairs.sort_unstable();
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Pixels of one picture, at most.
const MOST_PIXELS: u64 = 40_000_000;

/// A picture that is drawn.
#[derive(Debug, Clone)]
pub struct Picture {
    /// The document that plotters drew, in tenths of a pixel.
    pub drawn: String,
    /// Size in pixels.
    pub size: (f64, f64),
    /// What it shows, in a line.
    pub title: String,
    /// Its numbers in words, for those who cannot see it.
    pub description: String,
    pub provenance: Provenance,
    /// Cells of the query behind it that are suppressed.
    pub suppressed: u64,
}

/// The packaged typefaces inside a document: whoever shows it has them, and a browser loads nothing for a picture.
static FACES: LazyLock<String> = LazyLock::new(|| {
    let face = |weight: u16, font: &[u8]| {
        format!("@font-face{{font-family:Inter;font-weight:{weight};src:url(data:font/woff2;base64,{})}}", STANDARD.encode(font))
    };
    format!("<style>{}{}</style>", face(400, WEB_REGULAR), face(600, WEB_SEMI_BOLD))
});

/// The packaged fonts, and no others.
static FONTS: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    for face in [REGULAR, SEMI_BOLD] {
        fonts.load_font_data(face.to_vec());
    }
    fonts.set_sans_serif_family("Inter");
    Arc::new(fonts)
});

impl Picture {
    /// Width and height of a PNG.
    fn pixels(&self, scale: f64) -> (u32, u32) {
        ((self.size.0 * scale).round() as u32, (self.size.1 * scale).round() as u32)
    }

    /// Whether a file has no more pixels than one picture may have.
    ///
    /// # Errors
    /// Says how many it may have.
    pub fn fits(&self, format: PictureFormat, scale: f64) -> std::result::Result<(), Message> {
        let (width, height) = self.pixels(scale);
        let fits = format != PictureFormat::Png || u64::from(width) * u64::from(height) <= MOST_PIXELS;
        if fits { Ok(()) } else { Err(words::TOO_MANY_PIXELS.with(MOST_PIXELS)) }
    }

    /// The bytes of a file; `scale` says how many pixels of a PNG make one of the picture's.
    ///
    /// # Errors
    /// Where the picture cannot be written, which would be a mistake of this program.
    pub fn write(&self, format: PictureFormat, scale: f64) -> Result<Vec<u8>> {
        match format {
            PictureFormat::Svg => {
                let mut file = self.svg(&FACES).into_bytes();
                seal(&mut file, None);
                Ok(file)
            }
            PictureFormat::Png => self.png(scale),
            PictureFormat::Pdf => self.pdf(),
        }
    }

    fn told(&self) -> String {
        self.provenance.text()
    }

    /// The document with its size in pixels, its name, and where it comes from; `faces` are typefaces that it carries.
    fn svg(&self, faces: &str) -> String {
        let (width, height) = self.size;
        let body = self.drawn.split_once('>').map_or("", |(_, body)| body);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {} {}\" role=\"img\">\
             <title>{}</title><desc>{}</desc><metadata>{}</metadata>{faces}{body}",
            width * 10.0,
            height * 10.0,
            escaped(&self.title),
            escaped(&self.description),
            escaped(&self.told()),
        )
    }

    fn tree(&self) -> Result<Tree> {
        let options = Options { fontdb: Arc::clone(&FONTS), font_family: "Inter".into(), ..Options::default() };
        Tree::from_str(&self.svg(""), &options).map_err(|error| Error::Internal(format!("a picture that cannot be read: {error}")))
    }

    fn png(&self, scale: f64) -> Result<Vec<u8>> {
        let failed = |what: &str| Error::Internal(format!("a picture that cannot be painted: {what}"));
        let (width, height) = self.pixels(scale);
        let mut pixels = Pixmap::new(width, height).ok_or_else(|| failed("its size"))?;
        resvg::render(&self.tree()?, Transform::from_scale(scale as f32, scale as f32), &mut pixels.as_mut());
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width, height);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::Fast);
        // Printers read from this how large the picture is meant to be: 96 of its own pixels are an inch.
        let per_metre = (96.0 * scale / 0.0254).round() as u32;
        encoder.set_pixel_dims(Some(png::PixelDimensions { xppu: per_metre, yppu: per_metre, unit: png::Unit::Meter }));
        let texts = [("Title", self.title.clone()), ("Description", self.description.clone()), ("Provenance", self.told())];
        for (keyword, text) in texts {
            encoder.add_itxt_chunk(keyword.to_owned(), text).map_err(|error| failed(&error.to_string()))?;
        }
        // The ground is opaque, so that nothing is multiplied by transparency.
        let write = |mut writer: png::Writer<&mut Vec<u8>>| writer.write_image_data(pixels.data()).and_then(|()| writer.finish());
        encoder.write_header().and_then(write).map_err(|error| failed(&error.to_string()))?;
        let PngText { chunk, checksum, .. } = png_text(&file).ok_or_else(|| failed("it does not say where it comes from"))?;
        seal(&mut file, Some(&checksum));
        let right = crc32(&file[chunk]).to_be_bytes();
        file[checksum].copy_from_slice(&right);
        Ok(file)
    }

    fn pdf(&self) -> Result<Vec<u8>> {
        let failed = |what: String| Error::Internal(format!("a picture that cannot be put on a page: {what}"));
        // A pixel is three quarters of a point.
        let (width, height) = (self.size.0 as f32 * 0.75, self.size.1 as f32 * 0.75);
        let size = Size::from_wh(width, height).ok_or_else(|| failed("its size".into()))?;
        let tree = self.tree()?;
        let mut document = Document::new();
        let metadata = Metadata::new()
            .title(self.title.clone())
            .description(self.description.clone())
            .authors(vec![self.provenance.source.clone()])
            .keywords(self.provenance.releases.iter().map(|release| format!("{} {}", release.id, release.sha256)).collect())
            .language(self.provenance.language.clone())
            .creator(concat!("cacah ", env!("CARGO_PKG_VERSION")).to_owned());
        document.set_metadata(metadata);
        let settings = PageSettings::from_wh(width, height).ok_or_else(|| failed("its size".into()))?;
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        surface.draw_svg(&tree, size, SvgSettings::default()).ok_or_else(|| failed("its drawing".into()))?;
        surface.finish();
        page.finish();
        let mut file = document.finish().map_err(|error| failed(format!("{error:?}")))?;
        // A comment may stand between any two things of a document; before the place that tells where its table begins it moves nothing.
        let end = memchr::memmem::rfind(&file, b"startxref").ok_or_else(|| failed("it has no end".into()))?;
        file.splice(end..end, format!("\n%cacah {}\n", self.told()).into_bytes());
        seal(&mut file, None);
        Ok(file)
    }
}

/// Text as it stands in XML.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_that_grew_tall_is_not_painted() {
        let picture = |width: f64, height: f64| Picture {
            suppressed: 0,
            drawn: String::new(),
            size: (width, height),
            title: String::new(),
            description: String::new(),
            provenance: Provenance::default(),
        };
        assert!(picture(960.0, 600.0).fits(PictureFormat::Png, 4.0).is_ok());
        assert!(picture(960.0, 26_400.0).fits(PictureFormat::Png, 2.0).is_err());
        assert!(picture(960.0, 26_400.0).fits(PictureFormat::Pdf, 2.0).is_ok());
    }
}
