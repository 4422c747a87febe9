namespace Data2Vec.Kernels;

#pragma warning disable CS1591
// Work in progress: every line here goes away when its operation has a kernel. Nothing of this file reaches main.
public sealed partial class IlgpuBackend : IBackend
{
    private static NotSupportedException Missing(string op) => new($"{op}: no ilgpu kernel yet.");
    public void Attention(in AttentionArgs a) => throw Missing("Attention");
    public void AttentionBackward(in AttentionBackwardArgs a) => throw Missing("AttentionBackward");
    public void InstanceNorm(in InstanceNormArgs a) => throw Missing("InstanceNorm");
    public void InstanceNormBackward(in InstanceNormBackwardArgs a) => throw Missing("InstanceNormBackward");
    public void SmoothL1(in SmoothL1Args a) => throw Missing("SmoothL1");
    public void SmoothL1Backward(in SmoothL1BackwardArgs a) => throw Missing("SmoothL1Backward");
    public void CrossEntropy(in CrossEntropyArgs a) => throw Missing("CrossEntropy");
    public void CrossEntropyBackward(in CrossEntropyBackwardArgs a) => throw Missing("CrossEntropyBackward");
    public void CtcLoss(in CtcLossArgs a) => throw Missing("CtcLoss");
    public void CtcLossBackward(in CtcLossBackwardArgs a) => throw Missing("CtcLossBackward");
    public void GradientNorm(in GradientNormArgs a) => throw Missing("GradientNorm");
    public void Adam(in AdamArgs a) => throw Missing("Adam");
    public void Ema(in EmaArgs a) => throw Missing("Ema");
}
