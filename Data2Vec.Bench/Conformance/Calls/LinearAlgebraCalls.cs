using Data2Vec.Engine;
using Data2Vec.Kernels;
using static Data2Vec.Engine.Ops;

namespace Data2Vec.Bench.Conformance;

/// <summary>Products and attention, by PyTorch's names.</summary>
internal static class LinearAlgebraCalls
{
    public static void AddTo(Dictionary<string, Func<OpCall, Tensor[]>> calls)
    {
        calls["matmul"] = c => [Product(c["input"], c["other"])];
        calls["bmm"] = c => [Batched(c, c["input"], c["mat2"], 3)];
        calls["addmm"] = c => [Plus(c, Batched(c, c["mat1"], c["mat2"], 2))];
        calls["baddbmm"] = c => [Plus(c, Batched(c, c["batch1"], c["batch2"], 3))];
        calls["linear"] = c => [Linear(c["input"], c["weight"], c.Maybe("bias"))];
        calls["scaled_dot_product_attention"] = ScaledDotProduct;
    }

    /// <summary>A vector on the left is a row, on the right a column; the added dimension goes away again.</summary>
    private static Tensor Product(Tensor a, Tensor b)
    {
        if (a.Shape.Rank == 0 || b.Shape.Rank == 0) return MatMul(a, b);
        var (left, right) = (a.Shape.Rank == 1, b.Shape.Rank == 1);
        var y = MatMul(
            left ? Reshape(a, new Shape(1, a.Shape[0])) : a, right ? Reshape(b, new Shape(b.Shape[0], 1)) : b);
        if (!left && !right) return y;
        var rank = y.Shape.Rank;
        return Reshape(y, y.Shape.Slice(0, rank - 2) is var batch && left
            ? right ? batch : batch.Append(y.Shape[-1])
            : batch.Append(y.Shape[-2]));
    }

    /// <summary>MatMul takes any number of dimensions, where PyTorch has a name for each.</summary>
    private static Tensor Batched(OpCall c, Tensor a, Tensor b, int rank)
    {
        if (a.Shape.Rank == 2 && b.Shape.Rank == 2 && rank != 2)
        {
            c.Decision = ("MatMul is the product of two matrices too", outputs => Comparison.Compare(
                "output", outputs[0].ToDoubles(), Product(a, b, a.ToDoubles(), b.ToDoubles()), new(Tolerance.Single)));
        }
        else if (a.Shape.Rank != rank || b.Shape.Rank != rank)
        {
            throw new NotExpressibleException("MatMul broadcasts, so it takes any number of dimensions");
        }
        return MatMul(a, b);
    }

    private static double[] Product(Tensor a, Tensor b, double[] left, double[] right)
    {
        var (rows, inner, columns) = (a.Shape[0], a.Shape[1], b.Shape[1]);
        var product = new double[rows * columns];
        for (var i = 0; i < product.Length; i++)
            for (var k = 0; k < inner; k++)
                product[i] += left[i / columns * inner + k] * right[k * columns + i % columns];
        return product;
    }

    private static Tensor Plus(OpCall c, Tensor product)
    {
        var (alpha, beta) = (c.Number("alpha", 1), c.Number("beta", 1));
        var sum = Add(Affine(c["input"], beta), Affine(product, alpha));
        return sum.Shape == product.Shape ? sum
            : throw new ArgumentException($"the sum {sum.Shape} is larger than the product {product.Shape}");
    }

    /// <summary>
    /// Any leading dimensions become heads of one sample, so that a mask of any of them is a bias per head; causal is a
    /// bias of -inf above the diagonal.
    /// </summary>
    private static Tensor[] ScaledDotProduct(OpCall c)
    {
        var (q, k, v) = (c["query"], c["key"], c["value"]);
        if (c.Number("dropout_p", 0) != 0) throw new NotExpressibleException("dropout draws bits of its own");
        if (q.Shape.Rank < 2 || v.Shape[-1] != k.Shape[-1])
            throw new NotExpressibleException("values have the head size of keys");
        var lead = Lead(Lead(q.Shape.Slice(0, q.Shape.Rank - 2), k), v);
        var heads = (int)lead.Count;
        var (queries, keys) = (q.Shape[-2], k.Shape[-2]);
        Tensor Heads(Tensor x)
        {
            var own = x.Shape.Slice(0, x.Shape.Rank - 2);
            var full = own == lead ? x : Expand(x, lead.Append(x.Shape[-2], x.Shape[-1]));
            var flat = Reshape(full, new Shape(1, heads, x.Shape[-2], x.Shape[-1]));
            return Permute(flat, 0, 2, 1, 3);
        }
        var y = Attention(Heads(q), Heads(k), Heads(v), new AttentionOptions(
            Bias: Bias(c, lead, queries, keys), Scale: c.Given("scale") ? c.Number("scale", 1) : null));
        return [Reshape(Permute(y, 0, 2, 1, 3), lead.Append(queries, v.Shape[-1]))];
    }

    private static Tensor? Bias(OpCall c, Shape lead, int queries, int keys)
    {
        var full = lead.Append(queries, keys);
        var heads = new Shape((int)lead.Count, queries, keys);
        var causal = c.Flag("is_causal");
        if (c.Maybe("attn_mask") is { } mask)
        {
            if (causal) throw new NotExpressibleException("a mask together with causal is refused");
            if (mask.DType == DType.Bool)
                mask = Where(mask, c.Scalar(0), c.Scalar(double.NegativeInfinity));
            return Reshape(Expand(mask, full), heads);
        }
        if (!causal) return null;
        var above = new double[queries * keys];
        for (var i = 0; i < queries; i++)
            for (var j = i + 1; j < keys; j++) above[i * keys + j] = double.NegativeInfinity;
        return Expand(c.Constant(above, new Shape(queries, keys)), heads);
    }

    private static Shape Lead(Shape so, Tensor x)
    {
        var own = x.Shape.Slice(0, x.Shape.Rank - 2);
        return own.Rank > so.Rank ? own : so;
    }
}
