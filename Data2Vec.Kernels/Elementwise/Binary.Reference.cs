namespace Data2Vec.Kernels;

public sealed partial class ReferenceBackend
{
    /// <inheritdoc/>
    public void Binary(in BinaryArgs a)
    {
        var x = Read(a.X, a.Shape, a.XStrides);
        var y = Read(a.Y, a.Shape, a.YStrides);
        for (long i = 0; i < x.Length; i++) Set(a.Z, i, Apply(a.Op, x[i], y[i]));
    }

    /// <inheritdoc/>
    public void BinaryBackward(in BinaryBackwardArgs a)
    {
        var x = Read(a.X, a.Shape, a.XStrides);
        var y = Read(a.Y, a.Shape, a.YStrides);
        var dz = Read(a.DZ, x.Length);
        for (long i = 0; i < x.Length; i++)
        {
            var (dx, dy) = Slopes(a.Op, x[i], y[i]);
            if (!a.DX.IsNone) Set(a.DX, i, dz[i] * dx);
            if (!a.DY.IsNone) Set(a.DY, i, dz[i] * dy);
        }
    }

    private static double Apply(BinaryOp op, double x, double y) => op switch
    {
        BinaryOp.Add => x + y,
        BinaryOp.Sub => x - y,
        BinaryOp.Mul => x * y,
        BinaryOp.Div => x / y,
        BinaryOp.Pow => Math.Pow(x, y),
        BinaryOp.Maximum => Math.Max(x, y),
        BinaryOp.Minimum => Math.Min(x, y),
        BinaryOp.Equal => x == y ? 1 : 0,
        BinaryOp.NotEqual => x != y ? 1 : 0,
        BinaryOp.Less => x < y ? 1 : 0,
        BinaryOp.LessOrEqual => x <= y ? 1 : 0,
        BinaryOp.Greater => x > y ? 1 : 0,
        BinaryOp.GreaterOrEqual => x >= y ? 1 : 0,
        _ => throw new ArgumentOutOfRangeException(nameof(op), $"Binary: {op} is not a known function."),
    };

    /// <summary>Partial derivatives by x and y. A NaN in Maximum and Minimum passes the gradient to both sides.</summary>
    private static (double ByX, double ByY) Slopes(BinaryOp op, double x, double y) => op switch
    {
        BinaryOp.Add => (1, 1),
        BinaryOp.Sub => (1, -1),
        BinaryOp.Mul => (y, x),
        BinaryOp.Div => (1 / y, -x / (y * y)),
        BinaryOp.Pow => (y == 0 ? 0 : y * Math.Pow(x, y - 1), x == 0 && y >= 0 ? 0 : Math.Pow(x, y) * Math.Log(x)),
        BinaryOp.Maximum => double.IsNaN(x) || double.IsNaN(y) ? (1, 1) : x > y ? (1, 0) : x < y ? (0, 1) : (0.5, 0.5),
        BinaryOp.Minimum => double.IsNaN(x) || double.IsNaN(y) ? (1, 1) : x < y ? (1, 0) : x > y ? (0, 1) : (0.5, 0.5),
        _ => throw new ArgumentOutOfRangeException(nameof(op), $"BinaryBackward: {op} has no derivative."),
    };
}
