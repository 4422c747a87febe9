namespace Data2Vec.Models.Data;

/// <summary>A picture of 8 bits per channel: rows from the top, pixels from the left, red, green, blue.</summary>
public sealed class RgbImage
{
    /// <summary>Wraps pixels that are there already; they are not copied.</summary>
    /// <param name="width">Pixels of a row, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <param name="pixels">[height, width, 3], row-major.</param>
    /// <exception cref="ArgumentException">A side is below 1, or the number of bytes is another one.</exception>
    public RgbImage(int width, int height, byte[] pixels)
    {
        if (width < 1 || height < 1 || pixels.Length != 3L * width * height)
            throw new ArgumentException(
                $"RgbImage: {width} x {height} pixels need sides of at least 1 and {3L * width * height} bytes; got "
                + $"{pixels.Length} bytes.", nameof(pixels));
        Width = width;
        Height = height;
        Pixels = pixels;
    }

    /// <summary>A black picture.</summary>
    /// <exception cref="ArgumentException">A side is below 1.</exception>
    public RgbImage(int width, int height)
        : this(width, height, new byte[3L * Math.Max(width, 0) * Math.Max(height, 0)])
    {
    }

    /// <summary>Pixels of a row.</summary>
    public int Width { get; }

    /// <summary>Number of rows.</summary>
    public int Height { get; }

    /// <summary>[Height, Width, 3], row-major.</summary>
    public byte[] Pixels { get; }

    /// <summary>One row, [Width, 3].</summary>
    public Span<byte> Row(int y) => Pixels.AsSpan(checked(y * Width * 3), Width * 3);

    /// <summary>
    /// A part of the picture. Where the part reaches beyond the edges, black is put, so the corner may be negative.
    /// </summary>
    /// <param name="left">First column of the part.</param>
    /// <param name="top">First row of the part.</param>
    /// <param name="width">Columns, at least 1.</param>
    /// <param name="height">Rows, at least 1.</param>
    /// <exception cref="ArgumentException">A side is below 1.</exception>
    public RgbImage Crop(int left, int top, int width, int height)
    {
        var part = new RgbImage(width, height);
        var (from, to) = (Math.Max(left, 0), (int)Math.Min((long)left + width, Width));
        if (from >= to) return part;
        for (var y = Math.Max(top, 0); y < Math.Min((long)top + height, Height); y++)
            Row(y)[(from * 3)..(to * 3)].CopyTo(part.Row(y - top)[((from - left) * 3)..]);
        return part;
    }

    /// <summary>The picture mirrored: left becomes right.</summary>
    public RgbImage FlipHorizontally()
    {
        var flipped = new RgbImage(Width, Height);
        for (var y = 0; y < Height; y++)
        {
            var from = Row(y);
            var to = flipped.Row(y);
            for (var x = 0; x < Width; x++) from.Slice(x * 3, 3).CopyTo(to[((Width - 1 - x) * 3)..]);
        }
        return flipped;
    }
}
