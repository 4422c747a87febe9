using Data2Vec.Kernels;

namespace Data2Vec.Engine;

/// <summary>The optional parts of attention.</summary>
/// <param name="KeyMask">Bool [B, Tk], true = the key takes part; null = all do.</param>
/// <param name="Bias">[H, Tq, Tk], added to the scaled scores, shared by the samples; differentiable.</param>
/// <param name="Slopes">ALiBi slopes [H]: score -= slope * |i - j|; differentiable.</param>
/// <param name="Scale">Factor on q·k; null = 1 / sqrt(head size).</param>
/// <param name="Dropout">Dropout of the probabilities.</param>
public readonly record struct AttentionOptions(
    Tensor? KeyMask = null, Tensor? Bias = null, Tensor? Slopes = null, double? Scale = null,
    DropoutSource Dropout = default);

public static partial class Ops
{
    /// <summary>
    /// softmax(scale q kᵀ + bias - slopes |i - j|, masked keys out) v, head by head, never holding a T x T matrix. A row
    /// without any key gives zeros. Backward saves q, k, v, the output and the log-sum-exp of each row.
    /// </summary>
    /// <param name="q">[B, Tq, H, d].</param>
    /// <param name="k">[B, Tk, H, d].</param>
    /// <param name="v">[B, Tk, H, d].</param>
    /// <param name="options">Mask, bias, slopes, scale, dropout.</param>
    /// <param name="probabilities">
    /// Receives [B, H, Tq, Tk] (before dropout) when not null. There is no derivative through them.
    /// </param>
    /// <returns>[B, Tq, H, d].</returns>
    /// <exception cref="ArgumentException">Shapes, types or devices do not fit.</exception>
    public static Tensor Attention(
        Tensor q, Tensor k, Tensor v, AttentionOptions options = default, Tensor? probabilities = null)
    {
        Refuse.NotFloat("Attention", q);
        Refuse.OtherDevices("Attention", q, k, v, options.KeyMask, options.Bias, options.Slopes, probabilities);
        Refuse.OtherTypes("Attention", q, k, v);
        Refuse.Unless(q.Shape.Rank == 4 && k.Shape.Rank == 4,
            $"Attention: q and k must be [batch, time, heads, head size]; got q {q.Shape}, k {k.Shape}.");
        Refuse.Unless(k.Shape == v.Shape, $"Attention: k and v must have one shape; got k {k.Shape}, v {v.Shape}.");
        Refuse.Unless(q.Shape.With(1, 0) == k.Shape.With(1, 0),
            $"Attention: q and k must agree in batch, heads and head size; got q {q.Shape}, k {k.Shape}.");
        var row = (long)q.Shape[2] * q.Shape[3];
        var parts = new AttentionParts(q.Ref, k.Ref, v.Ref, row, row, q.Shape[0], q.Shape[1], k.Shape[1], q.Shape[2], q.Shape[3]);
        return Attention(parts, options, probabilities, q.Node, k.Node, v.Node, null, Tape.Of(q, k, v, options.Bias, options.Slopes));
    }

    /// <summary>
    /// Self-attention on packed projections: qkv [B, T, 3 * H * d] holds q, k and v of each position one behind the other,
    /// as one Linear makes them; its gradient comes out packed too.
    /// </summary>
    /// <returns>[B, T, H * d].</returns>
    /// <exception cref="ArgumentException">The last dimension is not 3 * heads * head size.</exception>
    public static Tensor AttentionPacked(
        Tensor qkv, int heads, AttentionOptions options = default, Tensor? probabilities = null)
    {
        Refuse.NotFloat("Attention", qkv);
        Refuse.OtherDevices("Attention", qkv, options.KeyMask, options.Bias, options.Slopes, probabilities);
        Refuse.Unless(qkv.Shape.Rank == 3 && heads > 0 && qkv.Shape[2] % (3 * heads) == 0,
            $"Attention: qkv must be [batch, time, 3 * {heads} * head size]; got {qkv.Shape}.");
        var width = qkv.Shape[2] / 3;
        var q = qkv.Ref;
        var parts = new AttentionParts(q, q with { Offset = q.Offset + width }, q with { Offset = q.Offset + 2 * width },
            3L * width, 3L * width, qkv.Shape[0], qkv.Shape[1], qkv.Shape[1], heads, width / heads);
        var o = Attention(parts, options, probabilities, null, null, null, qkv.Node, Tape.Of(qkv, options.Bias, options.Slopes));
        return Reshape(o, new Shape(qkv.Shape[0], qkv.Shape[1], width));
    }

    private static Tensor Attention(
        in AttentionParts p, in AttentionOptions options, Tensor? probabilities,
        Node? q, Node? k, Node? v, Node? packed, Tape? tape)
    {
        var device = p.Q.Device;
        var type = p.Q.DType;
        var (mask, bias, slopes) = (options.KeyMask, options.Bias, options.Slopes);
        Refuse.Unless(mask is null || (mask.DType == DType.Bool && mask.Shape == new Shape(p.Batch, p.Keys)),
            $"Attention: the key mask must be bool ({p.Batch}, {p.Keys}); got {mask}.");
        Refuse.Unless(bias is null || (bias.DType == type && bias.Shape == new Shape(p.Heads, p.Queries, p.Keys)),
            $"Attention: the bias must be {type.Name()} ({p.Heads}, {p.Queries}, {p.Keys}); got {bias}.");
        Refuse.Unless(slopes is null || (slopes.DType == type && slopes.Shape == new Shape(p.Heads)),
            $"Attention: the slopes must be {type.Name()} ({p.Heads}); got {slopes}.");
        Refuse.Unless(probabilities is null || probabilities.Shape == new Shape(p.Batch, p.Heads, p.Queries, p.Keys),
            $"Attention: probabilities must be ({p.Batch}, {p.Heads}, {p.Queries}, {p.Keys}); got {probabilities}.");
        var o = device.Allocate(new Shape(p.Batch, p.Queries, p.Heads, p.HeadSize), type);
        var lse = tape is null ? default
            : device.Allocate(new Shape(p.Batch, p.Heads, p.Queries), type == DType.Float64 ? type : DType.Float32);
        var scale = options.Scale ?? 1 / Math.Sqrt(p.HeadSize);
        var args = new AttentionArgs
        {
            Q = p.Q.View, K = p.K.View, V = p.V.View,
            KeyMask = mask?.View ?? default, Bias = bias?.View ?? default, Slopes = slopes?.View ?? default,
            O = o.View, LogSumExp = lse.View, Probabilities = probabilities?.View ?? default,
            Batch = p.Batch, Heads = p.Heads, Queries = p.Queries, Keys = p.Keys, HeadSize = p.HeadSize,
            QRow = p.QRow, KRow = p.KRow, VRow = p.KRow, ORow = (long)p.Heads * p.HeadSize,
            Scale = scale, Dropout = options.Dropout,
        };
        args.Check();
        device.Backend.Attention(args);
        probabilities?.Overwritten("Attention", tape?.Record(new NoDerivativeNode(tape, "Attention's probabilities")));
        if (tape is null) return new Tensor(o, "Attention");
        p.Q.Retain();
        p.K.Retain();
        p.V.Retain();
        return new Tensor(o, "Attention", tape.Record(new AttentionNode(tape, p, o.Retain(), lse, scale, options.Dropout,
            mask?.Ref.Retain() ?? default, bias?.Ref.Retain() ?? default, slopes?.Ref.Retain() ?? default)
        {
            Q = q, K = k, V = v, Packed = packed, Bias = bias?.Node, Slopes = slopes?.Node,
        }));
    }

    /// <summary>Where q, k and v lie: separate tensors, or three offsets of one packed tensor.</summary>
    private readonly record struct AttentionParts(
        TensorRef Q, TensorRef K, TensorRef V, long QRow, long KRow, int Batch, int Queries, int Keys, int Heads, int HeadSize);

    private sealed class AttentionNode(
        Tape tape, AttentionParts p, TensorRef o, TensorRef lse, double scale, DropoutSource dropout,
        TensorRef mask, TensorRef bias, TensorRef slopes) : Node(tape, "Attention")
    {
        public Node? Q { get; init; }

        public Node? K { get; init; }

        public Node? V { get; init; }

        public Node? Packed { get; init; }

        public Node? Bias { get; init; }

        public Node? Slopes { get; init; }

        protected override void Backward(TensorRef dy)
        {
            var packed = Packed.OpenIfTracked(p.Q.Shape, p.Q.DType);
            var dq = Q.OpenIfTracked(p.Q.Shape, p.Q.DType);
            var dk = K.OpenIfTracked(p.K.Shape, p.Q.DType);
            var dv = V.OpenIfTracked(p.V.Shape, p.Q.DType);
            var dBias = Bias.OpenIfTracked(bias.Shape, p.Q.DType, canAccumulate: true);
            var dSlopes = Slopes.OpenIfTracked(slopes.Shape, p.Q.DType, canAccumulate: true);
            long width = (long)p.Heads * p.HeadSize;
            var args = new AttentionBackwardArgs
            {
                Q = p.Q.Unchanged(Op), K = p.K.Unchanged(Op), V = p.V.Unchanged(Op),
                KeyMask = mask.Unchanged(Op), Bias = bias.Unchanged(Op), Slopes = slopes.Unchanged(Op),
                O = o.Unchanged(Op), LogSumExp = lse.View, DO = dy.View,
                DQ = Packed is null ? dq.View : packed.View,
                DK = Packed is null ? dk.View : packed.View.At(width),
                DV = Packed is null ? dv.View : packed.View.At(2 * width),
                DBias = dBias.View, DSlopes = dSlopes.View,
                Batch = p.Batch, Heads = p.Heads, Queries = p.Queries, Keys = p.Keys, HeadSize = p.HeadSize,
                QRow = p.QRow, KRow = p.KRow, VRow = p.KRow, ORow = width,
                Scale = scale, Dropout = dropout,
                AccumulateBias = dBias.Accumulate, AccumulateSlopes = dSlopes.Accumulate,
            };
            args.Check();
            Backend.AttentionBackward(args);
            packed.Commit();
            dq.Commit();
            dk.Commit();
            dv.Commit();
            dBias.Commit();
            dSlopes.Commit();
        }

        protected override void Release()
        {
            p.Q.Release();
            p.K.Release();
            p.V.Release();
            o.Release();
            lse.Release();
            mask.Release();
            bias.Release();
            slopes.Release();
        }
    }
}
