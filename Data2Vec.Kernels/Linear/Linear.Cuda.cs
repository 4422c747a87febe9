using System.Runtime.InteropServices;
using Data2Vec.Kernels.Cuda;

namespace Data2Vec.Kernels;

public sealed partial class CudaBackend
{
    private const int MostBiasParts = 128;
    private const int BiasRowsPerPart = 32;

    /// <inheritdoc/>
    public void Linear(in LinearArgs a)
    {
        var type = ElementOf("Linear", a.X);
        MultiplyMatrices(type, new CudaProductArgs<CudaMatrix, CudaMatrix>
        {
            Left = new() { Data = Address(a.X), LineStep = a.In, InnerStep = 1 },
            Right = new() { Data = Address(a.W), LineStep = a.In, InnerStep = 1 },
            End = LayerEnd(a.Y, a.Bias, a.PreActivation, a.Activation, a.Rows, a.Out),
            Batch = CudaProductBatch.Of(1), M = a.Rows, N = a.Out, K = a.In,
        });
    }

    /// <inheritdoc/>
    public void LinearBackward(in LinearBackwardArgs a)
    {
        var type = ElementOf("LinearBackward", a.DY);
        var slopes = Slopes(type, a.DY, a.PreActivation, a.Scratch, a.DBias, a.Activation, a.Rows, a.Out,
            a.AccumulateBias);
        if (!a.DX.IsNone)
        {
            var product = new CudaProductArgs<CudaMatrix, CudaMatrix>
            {
                Left = new() { Data = Address(slopes), LineStep = a.Out, InnerStep = 1 },
                Right = new() { Data = Address(a.W), LineStep = 1, InnerStep = a.In },
                End = LayerEnd(a.DX, default, a.InputPreActivation, a.InputActivation, a.Rows, a.In),
                Batch = CudaProductBatch.Of(1), M = a.Rows, N = a.In, K = a.Out,
            };
            if (a.InputActivation == Activation.None) MultiplyMatrices(type, product);
            else MultiplyBySlopes(type, product);
        }
        if (a.DW.IsNone) return;
        var weights = MatrixEnd(a.DW, a.Out, a.In, a.AccumulateW);
        weights.Wide = InUnits(a.DW, a.In, a.Out) ? 1 : 0;
        MultiplyMatrices(type, new CudaProductArgs<CudaMatrix, CudaMatrix>
        {
            Left = new() { Data = Address(slopes), LineStep = 1, InnerStep = a.Out },
            Right = new() { Data = Address(a.X), LineStep = 1, InnerStep = a.In },
            End = weights, Batch = CudaProductBatch.Of(1), M = a.Out, N = a.In, K = a.Rows,
        });
    }

    /// <summary>Bias and activation (or its slopes) on the sums of a layer, rows contiguous.</summary>
    private static CudaProductEnd LayerEnd(
        BufferView y, BufferView bias, BufferView sums, Activation activation, int rows, int columns)
    {
        var end = MatrixEnd(y, rows, columns, false);
        (end.Bias, end.Sums, end.Activation) = (Address(bias), Address(sums), activation);
        end.Wide = InUnits(y, columns, rows) && (sums.IsNone || Address(sums) % 16 == 0) ? 1 : 0;
        return end;
    }

    /// <summary>
    /// First half of the gradients of a layer with bias and activation: g = dy * activation'(sums), written to the room
    /// when there is an activation, and the column sums of g while it passes. Gives where g is.
    /// </summary>
    private BufferView Slopes(
        DType type, BufferView dy, BufferView sums, BufferView room, BufferView dBias, Activation activation,
        int rows, int columns, bool accumulate)
    {
        var isActive = activation != Activation.None;
        if (!isActive && dBias.IsNone) return dy;
        var parts = Math.Clamp(rows / BiasRowsPerPart, 1, MostBiasParts);
        var memory = dBias.IsNone ? null : Allocate((long)parts * columns * sizeof(float));
        var unit = 16 / type.Size();
        var isWide = columns % unit == 0 && Address(dy) % 16 == 0
            && (!isActive || (Address(sums) % 16 == 0 && Address(room) % 16 == 0));
        var a = new CudaLinearSlopeArgs
        {
            DY = Address(dy), Sums = Address(sums), G = Address(room), Partial = Address(memory), Rows = rows,
            Columns = columns,
            PartRows = (rows + parts - 1) / parts, Activation = activation, Wide = isWide ? 1 : 0,
        };
        Launch(CudaProducts.Slope[type], new Dim3((columns + 32 * unit - 1) / (32 * unit), parts), 256, a);
        if (memory is not null)
        {
            Launch(CudaProducts.Bias[type], (columns + 31) / 32, 1024, new CudaPartialSumArgs
            {
                Partial = a.Partial, First = Address(dBias), Blocks = parts, Columns = columns,
                Accumulate = accumulate ? 1 : 0,
            });
            Free(memory);
        }
        return isActive ? room : dy;
    }
}

/// <summary>dy, sums and g are [rows, columns]; kernels/matmul.cu, field by field.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct CudaLinearSlopeArgs
{
    public ulong DY, Sums, G, Partial;
    public int Rows, Columns, PartRows;
    public Activation Activation;
    public int Wide;
    private readonly int reserved;
}
