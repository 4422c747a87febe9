using Data2Vec.Kernels;

namespace Data2Vec.Engine;

public static partial class Ops
{
    /// <summary>
    /// Matrix product of the last two dimensions, [..., M, K] x [..., K, N] -> [..., M, N]; leading dimensions broadcast;
    /// either operand may be read transposed (then it is [..., K, M] or [..., N, K]). Backward saves both.
    /// </summary>
    /// <exception cref="ArgumentException">Fewer than two dimensions, or inner extents that differ.</exception>
    public static Tensor MatMul(Tensor a, Tensor b, bool transposeA = false, bool transposeB = false)
    {
        Refuse.OtherDevices("MatMul", a, b);
        Refuse.OtherTypes("MatMul", a, b);
        Refuse.NotFloat("MatMul", a);
        Refuse.Unless(a.Shape.Rank >= 2 && b.Shape.Rank >= 2,
            $"MatMul: both operands need at least two dimensions; got {a.Shape} and {b.Shape}.");
        var (m, k) = transposeA ? (a.Shape[-1], a.Shape[-2]) : (a.Shape[-2], a.Shape[-1]);
        var (k2, n) = transposeB ? (b.Shape[-1], b.Shape[-2]) : (b.Shape[-2], b.Shape[-1]);
        Refuse.Unless(k == k2, $"MatMul: inner extents must agree; got {a.Shape} and {b.Shape}: {k} against {k2}.");
        var batch = Broadcast("MatMul", a.Shape.Slice(0, a.Shape.Rank - 2), b.Shape.Slice(0, b.Shape.Rank - 2));
        var tape = Tape.Of(a, b);
        var c = a.Device.Allocate(batch.Append(m, n), a.DType);
        Multiply(a.Ref, transposeA, b.Ref, transposeB, c);
        if (tape is null) return new Tensor(c, "MatMul");
        return new Tensor(c, "MatMul", tape.Record(new MatMulNode(tape, a.Ref.Retain(), transposeA, b.Ref.Retain(), transposeB)
        {
            A = a.Node,
            B = b.Node,
        }));
    }

    /// <summary>c = op(a) op(b), with a and b broadcast to the batch dimensions of c.</summary>
    private static void Multiply(TensorRef a, bool transposeA, TensorRef b, bool transposeB, TensorRef c)
    {
        var rank = c.Shape.Rank - 2;
        var batch = c.Shape.Slice(0, rank);
        var args = new MatMulArgs
        {
            A = a.View,
            B = b.View,
            C = c.View,
            M = c.Shape[-2],
            N = c.Shape[-1],
            K = a.Shape[transposeA ? -2 : -1],
            ARow = transposeA ? 1 : a.Shape[-1],
            AColumn = transposeA ? a.Shape[-1] : 1,
            BRow = transposeB ? 1 : b.Shape[-1],
            BColumn = transposeB ? b.Shape[-1] : 1,
            CRow = c.Shape[-1],
            Batch = batch,
            ABatch = BatchStrides(a.Shape, batch),
            BBatch = BatchStrides(b.Shape, batch),
            CBatch = c.Shape.Strides,
            Alpha = 1,
        };
        args.Check();
        a.Device.Backend.MatMul(args);
    }

    private static Strides BatchStrides(Shape shape, Shape batch)
    {
        var strides = BroadcastStrides(shape.Slice(0, shape.Rank - 2), batch);
        long matrix = (long)shape[-1] * shape[-2];
        for (var i = 0; i < batch.Rank; i++) strides[i] *= matrix;
        return strides;
    }

    private sealed class MatMulNode(Tape tape, TensorRef a, bool transposeA, TensorRef b, bool transposeB)
        : Node(tape, "MatMul")
    {
        public Node? A { get; init; }

        public Node? B { get; init; }

        protected override void Backward(TensorRef dy)
        {
            a.Unchanged(Op);
            b.Unchanged(Op);
            var batch = dy.Shape.Slice(0, dy.Shape.Rank - 2);
            if (A is not null)
            {
                var da = Tape.Device.Allocate(batch.Append(a.Shape[-2], a.Shape[-1]), a.DType);
                if (transposeA) Multiply(b, transposeB, dy, true, da);
                else Multiply(dy, false, b, !transposeB, da);
                PassSummed(A, da, a.Shape);
                da.Release();
            }
            if (B is not null)
            {
                var db = Tape.Device.Allocate(batch.Append(b.Shape[-2], b.Shape[-1]), b.DType);
                if (transposeB) Multiply(dy, true, a, transposeA, db);
                else Multiply(a, !transposeA, dy, false, db);
                PassSummed(B, db, b.Shape);
                db.Release();
            }
        }

        protected override void Release()
        {
            a.Release();
            b.Release();
        }
    }
}
