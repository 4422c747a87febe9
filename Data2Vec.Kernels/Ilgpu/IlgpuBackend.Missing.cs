namespace Data2Vec.Kernels;

#pragma warning disable CS1591
// Work in progress: every line here goes away when its operation has a kernel. Nothing of this file reaches main.
public sealed partial class IlgpuBackend : IBackend
{
    private static NotSupportedException Missing(string op) => new($"{op}: no ilgpu kernel yet.");
    public void Attention(in AttentionArgs a) => throw Missing("Attention");
    public void AttentionBackward(in AttentionBackwardArgs a) => throw Missing("AttentionBackward");
}
