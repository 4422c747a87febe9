namespace Data2Vec.Kernels;

/// <summary>
/// The whole contract of a device: memory, and one line per operation on raw buffers. Calls are queued in order on one
/// stream; only <see cref="Download"/> and <see cref="Synchronize"/> wait. Shapes and types have been checked by the
/// argument struct's <c>Check</c>, which callers run first. Outputs are written completely unless the arguments say
/// "accumulate". Formula, shapes and types of an operation stand beside its argument struct, in the folder of its name.
/// </summary>
public interface IBackend : IDisposable
{
    // Device
    /// <summary>What this backend is, for messages and tables: "cpu (AVX-512, 2 threads)".</summary>
    string Description { get; }
    /// <summary>True when there are tensors of this type: they can be stored, moved and cast.</summary>
    bool Supports(DType type);
    /// <summary>True when floating-point operations take operands of this type.</summary>
    bool Computes(DType type);
    /// <summary>What the memory pool holds.</summary>
    MemoryStatistics Memory { get; }
    /// <summary>True when operations return before they have run, so that waiting costs time.</summary>
    bool Queues { get; }
    /// <summary>How often the host has waited for the device.</summary>
    long Synchronizations { get; }

    // Memory
    /// <summary>Memory for at least <paramref name="bytes"/> bytes, uninitialised.</summary>
    DeviceBuffer Allocate(long bytes);
    /// <summary>Gives memory back, after everything queued so far has used it.</summary>
    void Free(DeviceBuffer buffer);
    /// <summary>Copies host bytes to the device; the span may be reused on return.</summary>
    void Upload(ReadOnlySpan<byte> source, BufferView target);
    /// <summary>Copies device bytes to the host, after everything queued so far.</summary>
    void Download(BufferView source, Span<byte> target);
    /// <summary>Waits until everything queued has run; errors of queued operations surface here.</summary>
    void Synchronize();

    // Element-wise and movement
    /// <summary>y = f(x).</summary>
    void Unary(in UnaryArgs a);
    /// <summary>dx = dy * f'(x).</summary>
    void UnaryBackward(in UnaryBackwardArgs a);
    /// <summary>z = f(x, y), broadcasting.</summary>
    void Binary(in BinaryArgs a);
    /// <summary>dx = dz * df/dx and dy = dz * df/dy, over the broadcast shape.</summary>
    void BinaryBackward(in BinaryBackwardArgs a);
    /// <summary>z = condition ? x : y, broadcasting.</summary>
    void Where(in WhereArgs a);
    /// <summary>Copies (or adds) between strided layouts: permute, slice, concat, pad, expand.</summary>
    void StridedCopy(in StridedCopyArgs a);
    /// <summary>y = value.</summary>
    void Fill(in FillArgs a);
    /// <summary>y = x in another type.</summary>
    void Cast(in CastArgs a);

    // Reductions and softmax
    /// <summary>Sum, mean, maximum, ... over chosen dimensions.</summary>
    void Reduce(in ReduceArgs a);
    /// <summary>Softmax or log-softmax over one dimension.</summary>
    void Softmax(in SoftmaxArgs a);
    /// <summary>Gradient of softmax or log-softmax.</summary>
    void SoftmaxBackward(in SoftmaxBackwardArgs a);

    // Linear algebra
    /// <summary>C = alpha * op(A) op(B), batched and strided.</summary>
    void MatMul(in MatMulArgs a);
    /// <summary>Y = activation(X Wᵀ + b).</summary>
    void Linear(in LinearArgs a);
    /// <summary>Gradients of <see cref="Linear"/>.</summary>
    void LinearBackward(in LinearBackwardArgs a);
    /// <summary>y = activation(convolution over time + b), channels last, in groups.</summary>
    void Conv1d(in Conv1dArgs a);
    /// <summary>Gradients of <see cref="Conv1d"/>.</summary>
    void Conv1dBackward(in Conv1dBackwardArgs a);
    /// <summary>y = activation(LayerNorm(convolution over time + b)); its gradients are those of the two.</summary>
    void Conv1dLayerNorm(in Conv1dLayerNormArgs a);

    // Attention
    /// <summary>softmax(scale Q Kᵀ + bias, masked) V without a T x T matrix.</summary>
    void Attention(in AttentionArgs a);
    /// <summary>Gradients of <see cref="Attention"/>, by recomputation.</summary>
    void AttentionBackward(in AttentionBackwardArgs a);

    // Normalisation
    /// <summary>y = LayerNorm(dropout(x) + residual).</summary>
    void LayerNorm(in LayerNormArgs a);
    /// <summary>Gradients of <see cref="LayerNorm"/>.</summary>
    void LayerNormBackward(in LayerNormBackwardArgs a);
    /// <summary>Normalises every channel over time.</summary>
    void InstanceNorm(in InstanceNormArgs a);
    /// <summary>Gradient of <see cref="InstanceNorm"/>.</summary>
    void InstanceNormBackward(in InstanceNormBackwardArgs a);

    // Rows and dropout
    /// <summary>y[i] = x[rows[i]]: embedding and row selection.</summary>
    void GatherRows(in GatherRowsArgs a);
    /// <summary>y[rows[i]] = x[i], or += x[i].</summary>
    void ScatterRows(in ScatterRowsArgs a);
    /// <summary>Single elements by index along a dimension.</summary>
    void Gather(in GatherArgs a);
    /// <summary>Writes (or adds) single elements by index along a dimension.</summary>
    void Scatter(in ScatterArgs a);
    /// <summary>Replaces masked rows by one vector.</summary>
    void MaskRows(in MaskRowsArgs a);
    /// <summary>Gradients of <see cref="MaskRows"/>.</summary>
    void MaskRowsBackward(in MaskRowsBackwardArgs a);
    /// <summary>y = x * keep / (1 - p), one draw per element or per sample; its own gradient.</summary>
    void Dropout(in DropoutArgs a);

    // Losses
    /// <summary>Smooth L1 (or L2) over given rows.</summary>
    void SmoothL1(in SmoothL1Args a);
    /// <summary>Gradients of <see cref="SmoothL1"/>.</summary>
    void SmoothL1Backward(in SmoothL1BackwardArgs a);
    /// <summary>Cross-entropy of logits with class indices.</summary>
    void CrossEntropy(in CrossEntropyArgs a);
    /// <summary>Gradient of <see cref="CrossEntropy"/>.</summary>
    void CrossEntropyBackward(in CrossEntropyBackwardArgs a);
    /// <summary>Connectionist temporal classification of log-probabilities with label sequences.</summary>
    void CtcLoss(in CtcLossArgs a);
    /// <summary>Gradient of <see cref="CtcLoss"/>.</summary>
    void CtcLossBackward(in CtcLossBackwardArgs a);

    // Targets
    /// <summary>Teacher layers, normalised and averaged.</summary>
    void Targets(in TargetsArgs a);

    // Training step, over flat buffers
    /// <summary>Global L2 norm, clip factor and finite check, written into the step values.</summary>
    void GradientNorm(in GradientNormArgs a);
    /// <summary>One AdamW or fairseq-Adam update of a flat parameter buffer.</summary>
    void Adam(in AdamArgs a);
    /// <summary>teacher = decay * teacher + (1 - decay) * student.</summary>
    void Ema(in EmaArgs a);
    /// <summary><see cref="Adam"/>, then <see cref="Ema"/>, in one pass over memory.</summary>
    void AdamWithEma(in AdamWithEmaArgs a);
}
