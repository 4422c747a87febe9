using System.Numerics;
using System.Runtime.InteropServices;

namespace Data2Vec.Models.Data;

/// <summary>A part of a picture in fractions of pixels, from the upper left corner.</summary>
/// <param name="Left">Left edge.</param>
/// <param name="Top">Upper edge.</param>
/// <param name="Right">Right edge, beyond the left one.</param>
/// <param name="Bottom">Lower edge, beyond the upper one.</param>
public readonly record struct ImageBox(double Left, double Top, double Right, double Bottom);

/// <summary>
/// Resizes pictures with an antialiasing filter, bit for bit as Pillow 13 does: one pass per side, weights in fixed
/// point, the result of the first pass clamped and stored in 8 bits.
/// </summary>
/// <remarks>
/// The clamp makes the order of the passes visible at hard edges; Pillow 13 goes down the columns first where that
/// side shrinks by more than twice as many pixels as the other. A pass that changes nothing is left out.
/// </remarks>
public static class ImageResize
{
    private const int Half = 1 << (ResizeWeights.FractionBits - 1);

    /// <summary>Resizes a picture or a part of it.</summary>
    /// <param name="image">The picture.</param>
    /// <param name="width">Pixels of a row of the result, at least 1.</param>
    /// <param name="height">Rows of the result, at least 1.</param>
    /// <param name="filter">How pixels are weighed.</param>
    /// <param name="box">
    /// The part; the filter looks beyond its edges. Null = whole. To keep the filter inside,
    /// <see cref="RgbImage.Crop"/> first.
    /// </param>
    /// <returns>A new picture, or <paramref name="image"/> itself where nothing changes.</returns>
    /// <exception cref="ArgumentException">
    /// A size is below 1, or the box is empty or reaches out of the picture.
    /// </exception>
    public static RgbImage Resize(
        RgbImage image, int width, int height, ResizeFilter filter = ResizeFilter.Bicubic, ImageBox? box = null)
    {
        var part = box ?? new ImageBox(0, 0, image.Width, image.Height);
        if (width < 1 || height < 1)
            throw new ArgumentException($"ImageResize: the size must be at least 1 x 1; got {width} x {height}.");
        if (!(part.Left >= 0 && part.Left < part.Right && part.Right <= image.Width)
            || !(part.Top >= 0 && part.Top < part.Bottom && part.Bottom <= image.Height))
            throw new ArgumentException(
                $"ImageResize: {part} must be a part of the {image.Width} x {image.Height} picture.", nameof(box));
        if (filter == ResizeFilter.Nearest) return Nearest(image, width, height, part);

        var across = width == image.Width && part.Left == 0 && part.Right == image.Width ? null
            : ResizeWeights.Make(filter, image.Width, part.Left, part.Right, width);
        var down = height == image.Height && part.Top == 0 && part.Bottom == image.Height ? null
            : ResizeWeights.Make(filter, image.Height, part.Top, part.Bottom, height);
        var columnsFirst = height < image.Height
            && (long)image.Height - height > 2 * ((long)image.Width - width);
        if (columnsFirst && down is not null) image = Down(image, down, 0);
        if (across is not null)
        {
            // Only the rows that the other pass will read.
            var (from, to) = columnsFirst || down is null
                ? (0, image.Height)
                : (down.First[0], down.First[^1] + down.Count[^1]);
            image = Across(image, across, from, to);
            if (!columnsFirst && down is not null) return Down(image, down, from);
        }
        return columnsFirst || down is null ? image : Down(image, down, 0);
    }

    private static RgbImage Nearest(RgbImage image, int width, int height, ImageBox part)
    {
        var columns = Sources(image.Width, part.Left, part.Right, width);
        var rows = Sources(image.Height, part.Top, part.Bottom, height);
        var result = new RgbImage(width, height);
        for (var y = 0; y < height; y++)
        {
            var from = image.Row(rows[y]);
            var to = result.Row(y);
            for (var x = 0; x < width; x++) from.Slice(columns[x] * 3, 3).CopyTo(to[(x * 3)..]);
        }
        return result;
    }

    private static int[] Sources(int source, double start, double end, int size)
    {
        var scale = (end - start) / size;
        var sources = new int[size];
        // Added up and not multiplied: a centre on the border of two pixels falls where Pillow's rounding puts it.
        var centre = start + scale * 0.5;
        for (var i = 0; i < size; i++, centre += scale) sources[i] = Math.Min(source - 1, (int)centre);
        return sources;
    }

    private static RgbImage Across(RgbImage image, ResizeWeights by, int firstRow, int endRow)
    {
        var width = by.First.Length;
        var result = new RgbImage(width, endRow - firstRow);
        for (var y = firstRow; y < endRow; y++)
        {
            var row = image.Row(y);
            var to = result.Row(y - firstRow);
            for (var x = 0; x < width; x++)
            {
                var weights = by.Weights.AsSpan(x * by.Taps, by.Count[x]);
                var from = row.Slice(by.First[x] * 3, weights.Length * 3);
                int red = Half, green = Half, blue = Half;
                for (int t = 0, i = 0; t < weights.Length; t++, i += 3)
                {
                    var weight = weights[t];
                    red += from[i] * weight;
                    green += from[i + 1] * weight;
                    blue += from[i + 2] * weight;
                }
                to[x * 3] = Clamp(red);
                to[x * 3 + 1] = Clamp(green);
                to[x * 3 + 2] = Clamp(blue);
            }
        }
        return result;
    }

    /// <param name="image">The picture, of which the rows before <paramref name="firstRow"/> are left out.</param>
    /// <param name="by">Weights over the rows of the whole picture.</param>
    /// <param name="firstRow">Number of the picture's first row.</param>
    private static RgbImage Down(RgbImage image, ResizeWeights by, int firstRow)
    {
        var result = new RgbImage(image.Width, by.First.Length);
        var sums = new int[image.Width * 3];
        for (var y = 0; y < result.Height; y++)
        {
            Array.Fill(sums, Half);
            for (var t = 0; t < by.Count[y]; t++)
                AddScaled(image.Row(by.First[y] - firstRow + t), by.Weights[y * by.Taps + t], sums);
            var to = result.Row(y);
            for (var i = 0; i < sums.Length; i++) to[i] = Clamp(sums[i]);
        }
        return result;
    }

    private static void AddScaled(ReadOnlySpan<byte> source, int weight, int[] sums)
    {
        var by = new Vector<int>(weight);
        var bytes = MemoryMarshal.Cast<byte, Vector<byte>>(source);
        var to = MemoryMarshal.Cast<int, Vector<int>>(sums.AsSpan());
        for (var i = 0; i < bytes.Length; i++)
        {
            Vector.Widen(bytes[i], out var low, out var high);
            Vector.Widen(low, out var a, out var b);
            Vector.Widen(high, out var c, out var d);
            to[4 * i] += Vector.AsVectorInt32(a) * by;
            to[4 * i + 1] += Vector.AsVectorInt32(b) * by;
            to[4 * i + 2] += Vector.AsVectorInt32(c) * by;
            to[4 * i + 3] += Vector.AsVectorInt32(d) * by;
        }
        for (var i = bytes.Length * Vector<byte>.Count; i < source.Length; i++) sums[i] += source[i] * weight;
    }

    private static byte Clamp(int sum) => (byte)Math.Clamp(sum >> ResizeWeights.FractionBits, 0, 255);
}
