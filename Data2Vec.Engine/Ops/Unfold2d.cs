using Data2Vec.Kernels;

namespace Data2Vec.Engine;

/// <summary>How a window of two dimensions moves over an image; pairs are (vertical, horizontal).</summary>
/// <param name="Kernel">Extents of the window.</param>
/// <param name="Stride">Steps from window to window.</param>
/// <param name="Padding">Zeros around the image, on both sides.</param>
/// <param name="Dilation">Steps from element to element inside the window.</param>
public sealed record Window2d(
    (int Y, int X) Kernel, (int Y, int X) Stride, (int Y, int X) Padding, (int Y, int X) Dilation)
{
    /// <summary>A window that moves by one, over the image alone.</summary>
    public Window2d((int Y, int X) kernel)
        : this(kernel, (1, 1), (0, 0), (1, 1))
    {
    }

    /// <summary>Places of the window in an image of these sides.</summary>
    internal (int Y, int X) Places(int height, int width)
    {
        static int Along(int size, int kernel, int stride, int padding, int dilation) =>
            (size + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
        return (Along(height, Kernel.Y, Stride.Y, Padding.Y, Dilation.Y),
            Along(width, Kernel.X, Stride.X, Padding.X, Dilation.X));
    }

    internal void Check(string op, Tensor x)
    {
        Refuse.Unless(x.Shape.Rank == 4, $"{op}: x must be [batch, height, width, channels]; got {x.Shape}.");
        Refuse.Unless(Kernel is { Y: >= 1, X: >= 1 } && Stride is { Y: >= 1, X: >= 1 }
            && Dilation is { Y: >= 1, X: >= 1 } && Padding is { Y: >= 0, X: >= 0 },
            $"{op}: kernel, stride and dilation must be positive and the padding not negative; got {this}.");
        var reach = (Y: Dilation.Y * (Kernel.Y - 1) + 1, X: Dilation.X * (Kernel.X - 1) + 1);
        Refuse.Unless(reach.Y <= x.Shape[1] + 2 * Padding.Y && reach.X <= x.Shape[2] + 2 * Padding.X,
            $"{op}: a window of {reach.Y} x {reach.X} does not fit into {x.Shape} with a padding of {Padding}.");
    }
}

public static partial class Ops
{
    /// <summary>
    /// Every place of a window over images as one row: [B, H, W, C] -> [B, places, kernel height * kernel width * C],
    /// places and elements of a window row by row, channels innermost. Elements that lie in several windows add their
    /// gradients. A composite of <see cref="Pad(Tensor, ReadOnlySpan{ValueTuple{int, int}}, double)"/> and <see
    /// cref="GatherRows"/>.
    /// </summary>
    /// <exception cref="ArgumentException">x has other dimensions, or the window does not fit into it.</exception>
    public static Tensor Unfold2d(Tensor x, Window2d window)
    {
        Refuse.NotFloat("Unfold2d", x);
        window.Check("Unfold2d", x);
        var (kernel, stride, padding, dilation) = window;
        var padded = padding == (0, 0) ? x
            : Pad(x, [(0, 0), (padding.Y, padding.Y), (padding.X, padding.X), (0, 0)]);
        var (batch, height, width, channels) = (x.Shape[0], padded.Shape[1], padded.Shape[2], x.Shape[3]);
        var places = window.Places(x.Shape[1], x.Shape[2]);
        var pixels = new int[places.Y * places.X * kernel.Y * kernel.X];
        var n = 0;
        for (var py = 0; py < places.Y; py++)
            for (var px = 0; px < places.X; px++)
                for (var ky = 0; ky < kernel.Y; ky++)
                    for (var kx = 0; kx < kernel.X; kx++)
                        pixels[n++] = (py * stride.Y + ky * dilation.Y) * width + px * stride.X + kx * dilation.X;
        var flat = Reshape(padded, new Shape(batch, height * width, channels));
        var chosen = IndexSelect(flat, 1, Tensor.From<int>(x.Device, pixels, new Shape(n)));
        return Reshape(chosen, new Shape(batch, places.Y * places.X, kernel.Y * kernel.X * channels));
    }

    /// <summary>
    /// Convolution over images, channels last: a composite of <see cref="Unfold2d"/> and <see cref="Linear"/>, for the
    /// few and small ones; its memory is that of every window.
    /// </summary>
    /// <param name="x">[B, H, W, Cin].</param>
    /// <param name="weight">[Cout, kernel height, kernel width, Cin / groups].</param>
    /// <param name="bias">[Cout], or null.</param>
    /// <param name="window">How the kernel moves.</param>
    /// <param name="groups">Groups of channels that do not meet; they divide Cin and Cout.</param>
    /// <returns>[B, places down, places across, Cout].</returns>
    /// <exception cref="ArgumentException">Shapes or types do not fit.</exception>
    public static Tensor Conv2d(Tensor x, Tensor weight, Tensor? bias, Window2d window, int groups = 1)
    {
        Refuse.NotFloat("Conv2d", x);
        Refuse.OtherTypes("Conv2d", x, weight, bias);
        window.Check("Conv2d", x);
        var (outputs, channels) = (weight.Shape.Rank == 4 ? weight.Shape[0] : 0, x.Shape[3]);
        Refuse.Unless(groups >= 1 && channels % groups == 0 && outputs % groups == 0
            && weight.Shape == new Shape(outputs, window.Kernel.Y, window.Kernel.X, channels / groups),
            $"Conv2d: weight must be [outputs, {window.Kernel.Y}, {window.Kernel.X}, {channels} / {groups}]; "
            + $"got {weight.Shape}.");
        Refuse.Unless(bias is null || bias.Shape == new Shape(outputs),
            $"Conv2d: bias must have shape ({outputs}); got {bias?.Shape}.");
        var parts = new Tensor[groups];
        for (var g = 0; g < groups; g++)
        {
            var (own, per) = (channels / groups, outputs / groups);
            var rows = Unfold2d(groups == 1 ? x : Slice(x, 3, g * own, (g + 1) * own), window);
            var w = Reshape(Slice(weight, 0, g * per, (g + 1) * per), new Shape(per, rows.Shape[2]));
            parts[g] = Linear(rows, w, bias is null ? null : Slice(bias, 0, g * per, (g + 1) * per));
        }
        var (down, across) = window.Places(x.Shape[1], x.Shape[2]);
        return Reshape(Concat(parts, 2), new Shape(x.Shape[0], down, across, outputs));
    }
}
