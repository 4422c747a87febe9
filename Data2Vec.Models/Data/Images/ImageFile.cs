using SkiaSharp;

namespace Data2Vec.Models.Data;

/// <summary>How pictures are read.</summary>
public sealed record ImageReadOptions
{
    /// <summary>Turn the picture as its EXIF data asks; else it stays as stored.</summary>
    public bool Upright { get; init; } = true;

    /// <summary>
    /// What shines through where a picture is transparent. Null: alpha is dropped and not blended, as Pillow's
    /// convert("RGB") does; hidden colours come out then.
    /// </summary>
    public (byte Red, byte Green, byte Blue)? Ground { get; init; }

    /// <summary>
    /// A picture of more pixels is refused before any of them is allocated. Half of Pillow's limit; reading takes seven
    /// bytes a pixel.
    /// </summary>
    public long MostPixels { get; init; } = 89_478_485;
}

/// <summary>
/// Reads JPEG, PNG, WebP, GIF (first frame) and BMP files into <see cref="RgbImage"/>. Palettes and greyscale become
/// RGB, of 16 bits the upper eight are kept, alpha is dropped (or blended, on wish), colour profiles are ignored;
/// Adobe's inverted CMYK is turned into RGB. Decoding is done by Skia; its output equals Pillow's.
/// </summary>
/// <remarks>
/// The format is told by the content, not by the name. A file that is cut is refused, where decoders would fill the
/// rest with grey.
/// </remarks>
public static class ImageFile
{
    private const long LongestFile = 1L << 30;

    private static readonly string[] Extensions = [".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp"];

    /// <summary>True where the extension of a name is one of a format that is read, in capitals or not.</summary>
    public static bool HasImageName(string path) =>
        Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidDataException">The content is no whole picture; the message names the file.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static RgbImage Read(string path, ImageReadOptions? options = null)
    {
        var length = new FileInfo(path).Length;
        if (length > LongestFile)
            throw new InvalidDataException($"{path}: the file has {length} bytes; at most {LongestFile} are read.");
        return Decode(File.ReadAllBytes(path), path, options);
    }

    /// <summary>Decodes the bytes of a file.</summary>
    /// <param name="bytes">The whole file; not changed.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="options">Turning and limits.</param>
    /// <exception cref="InvalidDataException">
    /// The content is no whole picture; the message begins with the name.
    /// </exception>
    public static RgbImage Decode(byte[] bytes, string name, ImageReadOptions? options = null)
    {
        options ??= new ImageReadOptions();
        try
        {
            var container = ImageContainer.Inspect(bytes);
            var image = Pixels(bytes, container.Format, options);
            return options.Upright ? ExifOrientation.Apply(image, container.Orientation) : image;
        }
        catch (InvalidDataException error)
        {
            throw new InvalidDataException($"{name}: {error.Message}.", error);
        }
    }

    private static RgbImage Pixels(byte[] bytes, ImageFormat format, ImageReadOptions options)
    {
        var frame = format == ImageFormat.Gif ? GifFirstFrame.Find(bytes) : new GifFirstFrame(bytes, null);
        if (options.Ground is not null) frame = new GifFirstFrame(bytes, null);
        using var data = SKData.CreateCopy(frame.Bytes);
        using var codec = SKCodec.Create(data)
            ?? throw new InvalidDataException($"the header of the {format} picture is damaged or cut");
        var (width, height) = (codec.Info.Width, codec.Info.Height);
        if (width < 1 || height < 1 || (long)width * height > options.MostPixels)
            throw new InvalidDataException(
                $"the picture should have {width} x {height} pixels; at most {options.MostPixels} are read");

        // Without a colour space the decoder converts none; without premultiplication it keeps colours under alpha.
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888,
            codec.Info.AlphaType == SKAlphaType.Opaque ? SKAlphaType.Opaque : SKAlphaType.Unpremul, null));
        var result = codec.GetPixels(bitmap.Info, bitmap.GetPixels());
        if (result != SKCodecResult.Success)
            throw new InvalidDataException(result == SKCodecResult.IncompleteInput
                ? $"the file is cut: the data of the {format} picture end before its {width} x {height} pixels"
                : $"the data of the {format} picture are damaged");
        var image = new RgbImage(width, height);
        if (options.Ground is { } ground) Blend(bitmap.GetPixelSpan(), bitmap.RowBytes, image, ground);
        else DropAlpha(bitmap.GetPixelSpan(), bitmap.RowBytes, image, frame.Background);
        if (format == ImageFormat.Bmp) BmpSixteenBits.Widen(bytes, image.Pixels);
        return image;
    }

    private static void DropAlpha(
        ReadOnlySpan<byte> pixels, int stride, RgbImage image, (byte Red, byte Green, byte Blue)? background)
    {
        for (var y = 0; y < image.Height; y++)
        {
            var from = pixels.Slice(y * stride, image.Width * 4);
            var to = image.Row(y);
            for (int i = 0, j = 0; j < to.Length; i += 4, j += 3)
            {
                (to[j], to[j + 1], to[j + 2]) = background is { } b && from[i + 3] == 0
                    ? b
                    : (from[i], from[i + 1], from[i + 2]);
            }
        }
    }

    private static void Blend(
        ReadOnlySpan<byte> pixels, int stride, RgbImage image, (byte Red, byte Green, byte Blue) ground)
    {
        for (var y = 0; y < image.Height; y++)
        {
            var from = pixels.Slice(y * stride, image.Width * 4);
            var to = image.Row(y);
            for (int i = 0, j = 0; j < to.Length; i += 4, j += 3)
            {
                var alpha = from[i + 3];
                to[j] = Mix(from[i], ground.Red, alpha);
                to[j + 1] = Mix(from[i + 1], ground.Green, alpha);
                to[j + 2] = Mix(from[i + 2], ground.Blue, alpha);
            }
        }

        static byte Mix(int colour, int ground, int alpha) =>
            (byte)((colour * alpha + ground * (255 - alpha) + 127) / 255);
    }
}
