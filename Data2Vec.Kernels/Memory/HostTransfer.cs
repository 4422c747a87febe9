namespace Data2Vec.Kernels;

/// <summary>Copies between host spans and host buffers, for the backends whose memory is the host's.</summary>
internal static unsafe class HostTransfer
{
    /// <summary>First element of an operand; null when it is absent.</summary>
    public static byte* Address(BufferView view) =>
        view.Buffer is null ? null : ((HostBuffer)view.Buffer).Pointer + view.Offset * view.DType.Size();

    /// <summary>First element of an operand as a typed pointer; null when it is absent.</summary>
    public static T* Address<T>(BufferView view)
        where T : unmanaged => (T*)Address(view);

    public static void Upload(ReadOnlySpan<byte> source, BufferView target)
    {
        Check.Holds("Upload", target, (source.Length + target.DType.Size() - 1) / target.DType.Size(), target.DType);
        source.CopyTo(new Span<byte>(Address(target), source.Length));
    }

    public static void Download(BufferView source, Span<byte> target)
    {
        Check.Holds("Download", source, (target.Length + source.DType.Size() - 1) / source.DType.Size(), source.DType);
        new ReadOnlySpan<byte>(Address(source), target.Length).CopyTo(target);
    }
}
