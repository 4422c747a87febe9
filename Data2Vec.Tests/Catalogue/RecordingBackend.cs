using System.Runtime.CompilerServices;
using Data2Vec.Kernels;

namespace Data2Vec.Tests.Catalogue;

/// <summary>Another backend that notes which of its operations were called.</summary>
internal sealed class RecordingBackend(IBackend inner) : IBackend
{
    /// <summary>Names of the operations called so far.</summary>
    public HashSet<string> Called { get; } = [];

    /// <summary>The same in order, with repetitions.</summary>
    public List<string> Calls { get; } = [];

    /// <summary>Done before every operation; null = nothing.</summary>
    public Action? Before { get; init; }

    public string Description => inner.Description;

    public MemoryStatistics Memory => inner.Memory;

    public bool Queues => inner.Queues;

    public long Synchronizations => inner.Synchronizations;

    public bool Supports(DType type) => inner.Supports(type);

    public bool Computes(DType type) => inner.Computes(type);

    public DeviceBuffer Allocate(long bytes) => inner.Allocate(bytes);

    public void Free(DeviceBuffer buffer) => inner.Free(buffer);

    public void Upload(ReadOnlySpan<byte> source, BufferView target) => inner.Upload(source, target);

    public void Download(BufferView source, Span<byte> target) => inner.Download(source, target);

    public void Synchronize() => inner.Synchronize();

    public void Dispose() => inner.Dispose();

    public void Unary(in UnaryArgs a) => Seen().Unary(a);
    public void UnaryBackward(in UnaryBackwardArgs a) => Seen().UnaryBackward(a);
    public void Binary(in BinaryArgs a) => Seen().Binary(a);
    public void BinaryBackward(in BinaryBackwardArgs a) => Seen().BinaryBackward(a);
    public void Where(in WhereArgs a) => Seen().Where(a);
    public void StridedCopy(in StridedCopyArgs a) => Seen().StridedCopy(a);
    public void Fill(in FillArgs a) => Seen().Fill(a);
    public void Cast(in CastArgs a) => Seen().Cast(a);
    public void Reduce(in ReduceArgs a) => Seen().Reduce(a);
    public void Softmax(in SoftmaxArgs a) => Seen().Softmax(a);
    public void SoftmaxBackward(in SoftmaxBackwardArgs a) => Seen().SoftmaxBackward(a);
    public void MatMul(in MatMulArgs a) => Seen().MatMul(a);
    public void Linear(in LinearArgs a) => Seen().Linear(a);
    public void LinearBackward(in LinearBackwardArgs a) => Seen().LinearBackward(a);
    public void Conv1d(in Conv1dArgs a) => Seen().Conv1d(a);
    public void Conv1dBackward(in Conv1dBackwardArgs a) => Seen().Conv1dBackward(a);
    public void Conv1dLayerNorm(in Conv1dLayerNormArgs a) => Seen().Conv1dLayerNorm(a);
    public void Attention(in AttentionArgs a) => Seen().Attention(a);
    public void AttentionBackward(in AttentionBackwardArgs a) => Seen().AttentionBackward(a);
    public void LayerNorm(in LayerNormArgs a) => Seen().LayerNorm(a);
    public void LayerNormBackward(in LayerNormBackwardArgs a) => Seen().LayerNormBackward(a);
    public void InstanceNorm(in InstanceNormArgs a) => Seen().InstanceNorm(a);
    public void InstanceNormBackward(in InstanceNormBackwardArgs a) => Seen().InstanceNormBackward(a);
    public void GatherRows(in GatherRowsArgs a) => Seen().GatherRows(a);
    public void ScatterRows(in ScatterRowsArgs a) => Seen().ScatterRows(a);
    public void Gather(in GatherArgs a) => Seen().Gather(a);
    public void Scatter(in ScatterArgs a) => Seen().Scatter(a);
    public void MaskRows(in MaskRowsArgs a) => Seen().MaskRows(a);
    public void MaskRowsBackward(in MaskRowsBackwardArgs a) => Seen().MaskRowsBackward(a);
    public void Dropout(in DropoutArgs a) => Seen().Dropout(a);
    public void SmoothL1(in SmoothL1Args a) => Seen().SmoothL1(a);
    public void SmoothL1Backward(in SmoothL1BackwardArgs a) => Seen().SmoothL1Backward(a);
    public void CrossEntropy(in CrossEntropyArgs a) => Seen().CrossEntropy(a);
    public void CrossEntropyBackward(in CrossEntropyBackwardArgs a) => Seen().CrossEntropyBackward(a);
    public void CtcLoss(in CtcLossArgs a) => Seen().CtcLoss(a);
    public void CtcLossBackward(in CtcLossBackwardArgs a) => Seen().CtcLossBackward(a);
    public void Targets(in TargetsArgs a) => Seen().Targets(a);
    public void GradientNorm(in GradientNormArgs a) => Seen().GradientNorm(a);
    public void Adam(in AdamArgs a) => Seen().Adam(a);
    public void Ema(in EmaArgs a) => Seen().Ema(a);
    public void AdamWithEma(in AdamWithEmaArgs a) => Seen().AdamWithEma(a);

    private IBackend Seen([CallerMemberName] string operation = "")
    {
        Called.Add(operation);
        Calls.Add(operation);
        Before?.Invoke();
        return inner;
    }
}
