namespace Data2Vec.Kernels;

/// <summary>
/// Gives a backend that computes in float32 operations on bfloat16 operands: they are widened, the operation runs in float32,
/// and what it wrote is rounded once. That is what a GPU kernel with bfloat16 storage and float32 sums does, so training in
/// bfloat16 can be tried and tested without a GPU; it saves no time. Operands of other types pass through untouched.
/// </summary>
public sealed partial class WideningBackend : IBackend
{
    private readonly IBackend inner;
    private readonly List<Shadow> wide = [];

    /// <param name="inner">The backend that does the work; disposed with this one.</param>
    public WideningBackend(IBackend inner) => this.inner = inner;

    /// <inheritdoc/>
    public string Description => inner.Description;

    /// <inheritdoc/>
    public MemoryStatistics Memory => inner.Memory;

    /// <inheritdoc/>
    public bool Queues => inner.Queues;

    /// <inheritdoc/>
    public long Synchronizations => inner.Synchronizations;

    /// <inheritdoc/>
    public bool Supports(DType type) => inner.Supports(type);

    /// <inheritdoc/>
    public bool Computes(DType type) => type == DType.BFloat16 || inner.Computes(type);

    /// <inheritdoc/>
    public DeviceBuffer Allocate(long bytes) => inner.Allocate(bytes);

    /// <inheritdoc/>
    public void Free(DeviceBuffer buffer) => inner.Free(buffer);

    /// <inheritdoc/>
    public void Upload(ReadOnlySpan<byte> source, BufferView target) => inner.Upload(source, target);

    /// <inheritdoc/>
    public void Download(BufferView source, Span<byte> target) => inner.Download(source, target);

    /// <inheritdoc/>
    public void Synchronize() => inner.Synchronize();

    /// <inheritdoc/>
    public void Dispose() => inner.Dispose();

    /// <summary>A bfloat16 buffer and its float32 copy.</summary>
    private struct Shadow
    {
        public DeviceBuffer Narrow, Wide;
        public bool Written;
    }

    /// <summary>
    /// The operands of one call. Whole buffers are copied, so that offsets, strides and operands that share a buffer keep
    /// their meaning; what was written goes back when the call is over.
    /// </summary>
    private readonly ref struct Widened(IBackend inner, List<Shadow> shadows)
    {
        /// <summary>An operand that is read.</summary>
        public BufferView In(BufferView view) => Of(view, written: false);

        /// <summary>An operand that is written, or read and written.</summary>
        public BufferView Out(BufferView view) => Of(view, written: true);

        public void Dispose()
        {
            foreach (var shadow in shadows)
            {
                if (shadow.Written) Copy(shadow.Wide, DType.Float32, shadow.Narrow, DType.BFloat16);
                inner.Free(shadow.Wide);
            }
            shadows.Clear();
        }

        private BufferView Of(BufferView view, bool written)
        {
            if (view.Buffer is not { } buffer || view.DType != DType.BFloat16) return view;
            for (var i = 0; i < shadows.Count; i++)
            {
                if (shadows[i].Narrow != buffer) continue;
                if (written) shadows[i] = shadows[i] with { Written = true };
                return new BufferView(shadows[i].Wide, view.Offset, DType.Float32);
            }
            var copy = inner.Allocate(2 * buffer.Bytes);
            Copy(buffer, DType.BFloat16, copy, DType.Float32);
            shadows.Add(new Shadow { Narrow = buffer, Wide = copy, Written = written });
            return new BufferView(copy, view.Offset, DType.Float32);
        }

        private void Copy(DeviceBuffer from, DType fromType, DeviceBuffer to, DType toType)
        {
            var count = Math.Min(from.Bytes / fromType.Size(), to.Bytes / toType.Size());
            inner.Cast(new CastArgs
            {
                X = new BufferView(from, 0, fromType), Y = new BufferView(to, 0, toType), Count = count,
            });
        }
    }
}
