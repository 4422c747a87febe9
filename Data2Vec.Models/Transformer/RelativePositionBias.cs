using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Models;

/// <summary>
/// A learned attention bias by the offset of two patches: parameter [(2h - 1)(2w - 1) + 3, H] for a window of h x w
/// patches -> [H, N + 1, N + 1]. Entry (i, j) of two patches is row (yi - yj + h - 1)(2w - 1) + (xi - xj + w - 1); the
/// last three rows serve class token to patch, patch to class token, and class token to itself. Other windows resize
/// the rows of the offsets bilinearly. Source: Bao et al. 2021 (BEiT).
/// </summary>
public sealed class RelativePositionBias
{
    private readonly int table;
    private readonly bool byWidth;

    /// <summary>Declares the table, zeros at the start.</summary>
    /// <param name="scope">Where.</param>
    /// <param name="name">Name of the table.</param>
    /// <param name="heads">Attention heads.</param>
    /// <param name="height">Patches from top to bottom of the native window.</param>
    /// <param name="width">Patches from left to right of the native window.</param>
    /// <param name="learningRateScale">Factor on the learning rate.</param>
    /// <param name="byWidth">
    /// Read the rows as (2w - 1)(2h - 1) offsets and resize them even to the native window: what the published code
    /// does to windows that are not square.
    /// </param>
    public RelativePositionBias(
        ParameterScope scope, string name, int heads, int height, int width, double learningRateScale = 1,
        bool byWidth = false)
    {
        (Height, Width) = (height, width);
        this.byWidth = byWidth;
        var shape = new Shape((2 * height - 1) * (2 * width - 1) + 3, heads);
        table = scope.Add(name, shape, Initializers.Zeros, learningRateScale);
    }

    /// <summary>Patches from top to bottom that the table was made for.</summary>
    public int Height { get; }

    /// <summary>Patches from left to right that the table was made for.</summary>
    public int Width { get; }

    /// <summary>
    /// The bias [H, N + 1, N + 1] for a window of h x w = N patches, class token first. The table is read in the store's type
    /// and the bias rounded: an offset's gradient adds up to N terms, which bfloat16 would lose.
    /// </summary>
    public Tensor Forward(ParameterView p, int height, int width) =>
        Ops.Cast(Of(p.Full(table), (Height, Width), (height, width), byWidth), p.DType);

    /// <summary>The bias [H, N + 1, N + 1] that a table made for one window gives in another.</summary>
    /// <param name="table">[(2h - 1)(2w - 1) + 3, H].</param>
    /// <param name="native">The window that the table was made for.</param>
    /// <param name="window">h x w = N patches.</param>
    /// <param name="byWidth">As of the constructor.</param>
    public static Tensor Of(
        Tensor table, (int Height, int Width) native, (int Height, int Width) window, bool byWidth = false)
    {
        var (height, width) = window;
        var rows = window == native && !byWidth ? table : Resized(table, native, window, byWidth);
        var positions = height * width + 1;
        var index = Tensor.From<int>(rows.Device, Index(height, width), new Shape(positions * positions));
        var entries = Ops.Reshape(Ops.GatherRows(rows, index), new Shape(positions, positions, rows.Shape[1]));
        return Ops.Permute(entries, 2, 0, 1);
    }

    /// <summary>Row of the table for every pair (query, key), row-major over N + 1 positions.</summary>
    public static int[] Index(int height, int width)
    {
        var positions = height * width + 1;
        var offsets = (2 * height - 1) * (2 * width - 1);
        var index = new int[positions * positions];
        for (var q = 1; q < positions; q++)
        {
            var (yq, xq) = ((q - 1) / width, (q - 1) % width);
            for (var k = 1; k < positions; k++)
            {
                var (yk, xk) = ((k - 1) / width, (k - 1) % width);
                index[q * positions + k] = (yq - yk + height - 1) * (2 * width - 1) + (xq - xk + width - 1);
            }
            index[q] = offsets;
            index[q * positions] = offsets + 1;
        }
        index[0] = offsets + 2;
        return index;
    }

    private static Tensor Resized(
        Tensor rows, (int Height, int Width) native, (int Height, int Width) window, bool byWidth)
    {
        var heads = rows.Shape[1];
        var (oldHeight, oldWidth) = (2 * native.Height - 1, 2 * native.Width - 1);
        if (byWidth) (oldHeight, oldWidth) = (oldWidth, oldHeight);
        var offsets = Ops.Reshape(Ops.Slice(rows, 0, 0, oldHeight * oldWidth), new Shape(oldHeight, oldWidth, heads));
        var (newHeight, newWidth) = (2 * window.Height - 1, 2 * window.Width - 1);
        var resized = Ops.Resize2d(offsets, newHeight, newWidth, Interpolation.Bilinear);
        return Ops.Concat(
            [Ops.Reshape(resized, new Shape(newHeight * newWidth, heads)), Ops.Slice(rows, 0, oldHeight * oldWidth)], 0);
    }
}
