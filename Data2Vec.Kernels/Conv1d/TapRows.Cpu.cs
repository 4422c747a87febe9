namespace Data2Vec.Kernels.Cpu;

/// <summary>
/// A signal [Time, Channels] seen as rows of taps: row r holds Taps frames of Width channels, its tap k being frame
/// Start + r * RowStep + k * TapStep, zeros outside of the signal. A convolution is a product of such rows with a
/// matrix, and so are both of its gradients.
/// </summary>
internal unsafe struct TapRows
{
    /// <summary>Floats that may be read behind the last row of <see cref="Load"/>, whose values mean nothing.</summary>
    public const int Slack = 32;

    /// <summary>Frame 0, at the first channel that is seen.</summary>
    public float* Signal;

    public int Time, Channels, Width, Taps;

    public long Start, RowStep, TapStep;

    /// <summary>Elements of a row.</summary>
    public readonly int Inner => Taps * Width;

    /// <summary>Floats of memory that loading so many rows may need.</summary>
    public readonly long Room(int rows) => (Overlap ? FramesOf(rows) : (long)rows * Taps) * Width + Slack;

    /// <summary>Taps are neighbours and rows share frames: copied as one stretch of frames.</summary>
    private readonly bool Overlap => (Taps == 1 || TapStep == 1) && RowStep <= Taps;

    /// <summary>
    /// Rows row, row + 1, ...: where they lie when they are contiguous and inside the signal, else copied to the
    /// memory.
    /// </summary>
    /// <param name="row">First row.</param>
    /// <param name="rows">Number of rows.</param>
    /// <param name="memory">At least <see cref="Room"/> floats.</param>
    /// <param name="padded">Whether <see cref="Slack"/> must be readable behind the last row.</param>
    /// <param name="stride">Elements from one row to the next; rows may overlap.</param>
    public readonly float* Load(int row, int rows, float* memory, bool padded, out long stride)
    {
        var first = Start + row * RowStep;
        var last = first + (rows - 1) * RowStep + (Taps - 1) * TapStep;
        if (!padded && first >= 0 && last < Time && (Taps == 1 || TapStep == 1 && Width == Channels))
        {
            stride = RowStep * Channels;
            return Signal + first * Channels;
        }
        if (Overlap)
        {
            stride = RowStep * Width;
            Copy(first, FramesOf(rows), memory);
            return memory;
        }
        stride = Inner;
        var to = memory;
        for (var r = 0; r < rows; r++)
            for (var k = 0; k < Taps; k++, to += Width) Copy(first + r * RowStep + k * TapStep, 1, to);
        return memory;
    }

    /// <summary>Frames from the first of the first row to the last of the last, when taps are neighbours.</summary>
    private readonly long FramesOf(int rows) => (rows - 1) * RowStep + Taps;

    /// <summary>Frames of Width channels, one behind the other; zeros outside of the signal.</summary>
    private readonly void Copy(long first, long frames, float* to)
    {
        // Where the signal begins and ends among these frames.
        var from = Math.Clamp(-first, 0, frames);
        var end = Math.Clamp(Time - first, from, frames);
        new Span<float>(to, checked((int)(from * Width))).Clear();
        new Span<float>(to + end * Width, checked((int)((frames - end) * Width))).Clear();
        to += from * Width;
        var source = Signal + (first + from) * Channels;
        if (Width == Channels)
        {
            var count = checked((int)((end - from) * Width));
            new ReadOnlySpan<float>(source, count).CopyTo(new Span<float>(to, count));
            return;
        }
        for (var f = from; f < end; f++, to += Width, source += Channels)
            new ReadOnlySpan<float>(source, Width).CopyTo(new Span<float>(to, Width));
    }
}
