using System.Security.Cryptography;
using Data2Vec.Kernels;

namespace Data2Vec.Models.Data;

/// <summary>
/// Pictures made for runs without data of their own, in which shape, texture and hue can be asked for at every pixel:
/// one of six shapes, one of eight textures, on a ground of another texture and hue.
/// </summary>
/// <remarks>
/// Picture number n is a function of kind, seed, n and side alone, on any number of threads. The C library's last bits
/// take part, so that single levels may differ between platforms. Lengths grow with the side; at 24 pixels the period
/// of a texture is 4.5 to 8.
/// </remarks>
public static class ShapePictures
{
    private const uint Site = 0x5348_4150;
    private const uint NoiseSite = Site + 1;
    private const int SmallestSide = 8;
    private const int LargestSide = 1024;
    private const int Spots = 2;
    private const float Noise = 0.04f;

    /// <summary>Makes pictures number 0 to <paramref name="count"/> - 1, on all processors.</summary>
    /// <param name="kind">What they show.</param>
    /// <param name="seed">Another seed gives other pictures.</param>
    /// <param name="count">How many.</param>
    /// <param name="side">Pixels of each side, 8 to 1024.</param>
    /// <exception cref="ArgumentOutOfRangeException">Count or side is out of range.</exception>
    public static ShapePicture[] Generate(PictureKind kind, ulong seed, int count, int side)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        Check(side);
        var pictures = new ShapePicture[count];
        Parallel.For(0, count, i => pictures[i] = Make(kind, seed, (uint)i, side));
        return pictures;
    }

    /// <summary>Makes one picture.</summary>
    /// <param name="kind">What it shows.</param>
    /// <param name="seed">Seed of the collection.</param>
    /// <param name="number">Number in the collection.</param>
    /// <param name="side">Pixels of each side, 8 to 1024.</param>
    /// <exception cref="ArgumentOutOfRangeException">The side is out of range.</exception>
    public static ShapePicture Make(PictureKind kind, ulong seed, uint number, int side)
    {
        Check(side);
        var random = new PhiloxStream(new RandomKey(seed, number, 0, Site));
        var shape = (PictureShape)random.NextInt(6);
        var texture = (PictureTexture)random.NextInt(8);
        var groundTexture = (PictureTexture)(((int)texture + 1 + random.NextInt(7)) % 8);
        var outline = ShapeOutline.Draw(shape, side, random);
        var hue = random.NextDouble();
        var groundHue = (hue + random.NextDouble(0.2, 0.8)) % 1;
        var bright = random.NextInt(2) == 1;
        var ground = PicturePaint.Draw(kind, groundHue, groundTexture, !bright, side, random);
        var paint = PicturePaint.Draw(kind, hue, texture, bright, side, random);

        var pixels = new float[side * side * 3];
        ground.Fill(pixels, side);
        for (var i = 0; i < Spots; i++) AddSpot(kind, pixels, side, random);
        var coverage = Cover(pixels, paint, outline, side);
        var noise = new float[pixels.Length];
        Philox.FillNormal(new RandomKey(seed, number, 0, NoiseSite), noise, 0, Noise);
        var image = new RgbImage(side, side);
        for (var i = 0; i < pixels.Length; i++)
            image.Pixels[i] = (byte)(Math.Clamp(pixels[i] + noise[i], 0, 1) * 255 + 0.5f);
        return new ShapePicture(image, coverage, shape, texture, groundTexture, Class(hue), Class(groundHue));
    }

    /// <summary>SHA-256, in hexadecimal, of all pixels.</summary>
    public static string Digest(IEnumerable<ShapePicture> pictures)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var picture in pictures) hash.AppendData(picture.Image.Pixels);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static int Class(double hue) => Math.Min((int)(hue * ShapePicture.Hues), ShapePicture.Hues - 1);

    private static void Check(int side)
    {
        if (side is < SmallestSide or > LargestSide)
            throw new ArgumentOutOfRangeException(nameof(side), side,
                $"ShapePictures: the side must be {SmallestSide} to {LargestSide} pixels.");
    }

    /// <summary>A disc of any colour on the ground, below the object.</summary>
    private static void AddSpot(PictureKind kind, float[] pixels, int side, PhiloxStream random)
    {
        var (x, y) = (random.NextDouble() * side, random.NextDouble() * side);
        var radius = random.NextDouble(0.04, 0.09) * side;
        Span<float> colour = [random.NextSingle(), random.NextSingle(), random.NextSingle()];
        if (kind == PictureKind.Silhouettes) colour.Fill(0.25f + colour[0] / 2);
        for (var row = Math.Max(0, (int)(y - radius - 1)); row < Math.Min(side, y + radius + 1); row++)
            for (var column = Math.Max(0, (int)(x - radius - 1)); column < Math.Min(side, x + radius + 1); column++)
            {
                var (dx, dy) = (column + 0.5 - x, row + 0.5 - y);
                if (dx * dx + dy * dy < radius * radius) colour.CopyTo(pixels.AsSpan((row * side + column) * 3));
            }
    }

    /// <summary>Lays the painted object over the ground.</summary>
    private static byte[] Cover(float[] pixels, PicturePaint paint, ShapeOutline outline, int side)
    {
        var coverage = new byte[side * side];
        var painted = new float[pixels.Length];
        paint.Fill(painted, side);
        for (var y = 0; y < side; y++)
            for (var x = 0; x < side; x++)
            {
                var share = outline.Coverage(x + 0.5, y + 0.5);
                var at = y * side + x;
                coverage[at] = (byte)(share * 255 + 0.5f);
                for (var c = at * 3; c < at * 3 + 3; c++) pixels[c] += (painted[c] - pixels[c]) * share;
            }
        return coverage;
    }
}
